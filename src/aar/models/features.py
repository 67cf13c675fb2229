"""Features on disk, by content: the feature of a text is found by the hash of the text, whoever asks.

`FeatureStore` only reads and may be shown to a sandbox; `extract` fills it and is run by trusted workers. Layout:
`<root>/<model id>/<digest>.safetensors` (see `shards`). Several roots are searched in order, e.g. public then sealed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aar.errors import LabError, NotFound
from aar.models.extraction import extract
from aar.models.shards import SUFFIX, Shard, key_of

if TYPE_CHECKING:
    from aar.models.frozen import FrozenLM

__all__ = ["FeatureStore", "ReadingStore", "extract"]
log = logging.getLogger(__name__)


class FeatureStore:
    """The features of one model. `damaged` names the shards that could not be opened; their texts are missing."""

    def __init__(self, roots: Sequence[Path], model_id: str) -> None:
        self.roots, self.model_id = tuple(Path(r) for r in roots), model_id
        self.damaged: dict[Path, str] = {}
        self._shards: dict[Path, Shard] = {}
        self._where: dict[bytes, list[tuple[Shard, int]]] = {}  # text -> (shard, row), shallow and deep ones
        self._arrays: dict[tuple[Path, str, int], np.ndarray] = {}  # f16 [m, d]

    def get(self, texts: Sequence[str], layer: int, pooling: str = "mean") -> np.ndarray:
        """f32 [n, d], in the order of `texts`. Reads one layer of the shards concerned, once."""
        places = [self._place(key_of(t), layer, pooling) for t in texts]
        if None in places:
            self._refresh()
            places = [self._place(key_of(t), layer, pooling) for t in texts]
        found = [p for p in places if p is not None]
        if len(found) < len(texts):
            bad = f"; damaged: {', '.join(p.name for p in self.damaged)}" if self.damaged else ""
            raise NotFound(
                f"{len(texts) - len(found)} of {len(texts)} texts have no {pooling} feature at layer {layer}{bad}",
                code="features_missing",
                hint="ask for a layer and pooling that were extracted, or have the lab extract this one",
            )
        if not found:
            return np.empty((0, self.width), dtype=np.float32)
        arrays = [self._array(shard, layer, pooling) for shard, _ in found]
        out = np.empty((len(found), arrays[0].shape[1]), dtype=np.float32)
        for i, (array, (_, row)) in enumerate(zip(arrays, found, strict=True)):
            out[i] = array[row]
        return out

    def missing(self, texts: Sequence[str], layer: int = 0, pooling: str = "mean") -> list[str]:
        """The texts, each once, that have no feature at this layer and pooling yet."""
        self._refresh()
        return [t for t in dict.fromkeys(texts) if self._place(key_of(t), layer, pooling) is None]

    def held(self) -> dict[tuple[str, int], int]:
        """(pooling, layer) -> number of texts."""
        self._refresh()
        texts: dict[tuple[str, int], set[bytes]] = {}
        for shard in self._shards.values():
            for what in shard.held:
                texts.setdefault(what, set()).update(shard.keys)
        return {what: len(keys) for what, keys in sorted(texts.items())}

    @property
    def width(self) -> int:
        """d of the features, 0 while nothing is stored."""
        self._refresh()
        shard = next(iter(self._shards.values()), None)
        return self._array(shard, *max(shard.held)[::-1]).shape[1] if shard else 0

    def _place(self, key: bytes, layer: int, pooling: str) -> tuple[Shard, int] | None:
        return next((p for p in self._where.get(key, ()) if (pooling, layer) in p[0].held), None)

    def _array(self, shard: Shard, layer: int, pooling: str) -> np.ndarray:
        key = (shard.path, pooling, layer)
        if key not in self._arrays:
            self._arrays[key] = shard.read(pooling, layer)
        return self._arrays[key]

    def _refresh(self) -> None:
        """Takes in the shards that appeared since the last look; a damaged one is named and left out."""
        for root in self.roots:
            for path in sorted((root / self.model_id).glob(f"[!.]*{SUFFIX}")):
                if path in self._shards or path in self.damaged:
                    continue
                try:
                    shard = self._shards[path] = Shard.open(path)
                except LabError as error:
                    log.warning("%s", error.message)
                    self.damaged[path] = error.message
                    continue
                for row, key in enumerate(shard.keys):
                    self._where.setdefault(key, []).append((shard, row))


class ReadingStore:
    """A store whose model reads itself what is not kept: for texts that a method writes. They stay in memory."""

    def __init__(self, kept: FeatureStore, model: FrozenLM) -> None:
        self.kept, self.model = kept, model
        self.width = kept.width or model.width
        self._read: dict[tuple[str, int, str], np.ndarray] = {}

    def get(self, texts: Sequence[str], layer: int, pooling: str = "mean") -> np.ndarray:
        """f32 [n, d]."""
        new = self.kept.missing(texts, layer, pooling)
        unread = [t for t in new if (t, layer, pooling) not in self._read]
        if unread:
            states = self.model.hidden(unread, [layer], pooling)[:, 0]  # type: ignore[arg-type]
            self._read |= {(t, layer, pooling): row for t, row in zip(unread, states, strict=True)}
        told = set(new)
        known = iter(self.kept.get([t for t in texts if t not in told], layer, pooling))
        rows = [self._read[t, layer, pooling] if t in told else next(known) for t in texts]
        return np.array(rows, np.float32).reshape(len(texts), self.width)
