"""Features that take the place of the student's: of a student with random weights, or of texts that were changed.

Written in the layout of the feature stores, so that a run cannot tell them from the usual ones. Knows no labels.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aar.models.features import FeatureStore
from aar.models.shards import key_of, write

if TYPE_CHECKING:
    from aar.models.heads import Head

WORD = re.compile(r"\w+|[^\w\s]")
BLUR = 0.002  # relative noise on copied features: no exact look-up by feature survives it


@dataclass(frozen=True)
class Turn:
    """The dimensions of a model's features in another order, none in its old place, some with the other sign. All that
    is learnt from features is the same after it, up to the seed; what was learnt before it fits no more."""

    order: np.ndarray
    sign: np.ndarray

    @classmethod
    def draw(cls, width: int, rng: np.random.Generator) -> Turn:
        cycle, order = rng.permutation(width), np.empty(width, dtype=int)
        order[cycle] = np.roll(cycle, 1)
        return cls(order, rng.choice(np.array([-1.0, 1.0], np.float32), width))

    def __call__(self, h: np.ndarray) -> np.ndarray:
        """h f32 [..., width]"""
        return h[..., self.order] * self.sign

    def head(self, head: Head) -> Head:
        """The head that answers on turned features what `head` does on plain ones."""
        weight = {"weight": self(head.params["weight"])}
        return replace(head, params={**head.params, **weight}, shift=self(head.shift), scale=head.scale[self.order])


def copy_for(
    store: FeatureStore,
    old: Sequence[str],
    new: Sequence[str],
    folder: Path,
    rng: np.random.Generator,
    turn: Turn | None = None,
) -> None:
    """Gives each new text the features of the old one in its place, blurred and turned, for all layers that are stored."""
    keys = [key_of(t) for t in new]
    for pooling, layer in store.held():
        if not store.missing(old, layer, pooling):
            h = store.get(old, layer, pooling)
            h = turn(h) if turn else h
            write(folder / store.model_id, keys, {(pooling, layer): h * (1 + BLUR * rng.normal(size=h.shape))})


def random_student(store: FeatureStore, texts: Sequence[str], folder: Path, key: int) -> None:
    """What a student of random weights makes of these texts, at every pooling and layer that `store` holds: randomly
    embedded words, averaged, through random layers. It knows which words stand there, and nothing about them."""
    keys, x = [key_of(t) for t in texts], embedded(texts, store.width, key)
    rng = np.random.default_rng(key)
    held = sorted(store.held(), key=lambda place: place[1])
    at = held[0][1] if held else 0
    for pooling, layer in held:
        for _ in range(layer - at):
            x = x + np.tanh(x @ rng.normal(size=(x.shape[1],) * 2).astype(np.float32) / np.sqrt(x.shape[1]))
        at = layer
        write(folder / store.model_id, keys, {(pooling, layer): x})


def embedded(texts: Sequence[str], width: int, key: int) -> np.ndarray:
    """f32 [n, width]: the mean of a random vector for each word."""
    vectors: dict[str, np.ndarray] = {}
    out = np.zeros((len(texts), width), dtype=np.float32)
    for i, text in enumerate(texts):
        words = WORD.findall(text)
        for word in words:
            if word not in vectors:
                seed = int.from_bytes(hashlib.sha256(f"{key} {word}".encode()).digest()[:8], "big")
                vectors[word] = np.random.default_rng(seed).normal(size=width).astype(np.float32)
            out[i] += vectors[word] / len(words)
    return out


def link_others(roots: Sequence[Path], model_id: str, folder: Path) -> None:
    """Puts the shards of all other models of these roots into `folder` as well: the teacher's stay what they are."""
    for root in roots:
        for shard in root.glob("*/[!.]*.safetensors"):
            if shard.parent.name != model_id:
                target = folder / shard.parent.name / shard.name
                target.parent.mkdir(exist_ok=True)
                if not target.exists():
                    _link(shard, target)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)
