"""A weak teacher: something that learns from few labels and then labels many rows, badly.

Teachers get labels handed in as arrays; they never open a label file. One file here is one teacher; a teacher seed
draws its own share of the labelled rows, so that sixteen seeds are sixteen different teachers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from aar.registry import Registry
from aar.types import Fit, Model, Rows

SHARE = 0.75  # of the labelled rows that one teacher seed sees


@runtime_checkable
class Teacher(Protocol):
    """`reads`: (model, layer, pooling) of the frozen features it needs, None if it reads the text itself."""

    @property
    def reads(self) -> tuple[str, int, str] | None: ...

    def fit(self, rows: Rows, labels: np.ndarray, seed: int, base: Model | None) -> Model:
        """rows n, labels [n] in {0, 1}; base: the frozen model named by `reads`. The result can `predict`."""
        ...


teachers: Registry[Teacher] = Registry("teacher", "aar.teachers")


def draw(n: int, seed: int, share: float = SHARE) -> np.ndarray:
    """The positions of the labelled rows that this teacher seed sees, sorted."""
    rng = np.random.default_rng([seed, n])
    return np.sort(rng.choice(n, size=max(2, round(share * n)), replace=False))


@dataclass(frozen=True)
class HeadTeacher:
    """A linear head on a frozen model's features."""

    reads: tuple[str, int, str]
    share: float = SHARE
    epochs: int | None = None

    def fit(self, rows: Rows, labels: np.ndarray, seed: int, base: Model | None) -> Model:
        assert base is not None, "a head teacher is given the model it reads"
        seen = draw(len(rows), seed, self.share)
        (head,) = base.fit([Fit(rows.take(seen), labels[seen].astype(np.float32), seed=seed, epochs=self.epochs)])
        return head
