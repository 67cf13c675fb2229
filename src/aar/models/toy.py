"""A store of features in memory, for tests and notebooks: a real student without a language model.

student = HeadStudent(ArrayStore(24), "toy", "pair", layer=2)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aar.models.student import HeadStudent
from aar.types import Rows


class ArrayStore:
    """text -> f32 [width], drawn when first asked for; layer l is l times that, in every pooling."""

    def __init__(self, width: int, seed: int = 0) -> None:
        self.width, self.known, self.draw = width, dict[str, np.ndarray](), np.random.default_rng(seed)
        self.spread = np.exp(self.draw.normal(size=width))

    def get(self, texts: Sequence[str], layer: int, pooling: str = "mean") -> np.ndarray:
        """f32 [n, width]."""
        for text in texts:
            if text not in self.known:
                self.known[text] = (self.draw.normal(size=self.width) * self.spread).astype(np.float32)
        found = np.array([self.known[t] for t in texts], dtype=np.float32)
        return layer * found.reshape(len(texts), self.width)


def learnable(student: HeadStudent, rows: Rows, seed: int = 7) -> np.ndarray:
    """Labels f32 [n] that a linear head on this student's features can learn."""
    x = student.features(rows)
    direction = np.random.default_rng(seed).normal(size=x.shape[1]) / (x.std(0) + 1e-9)
    return ((x - x.mean(0) * (student.kind == "binary")) @ direction > 0).astype(np.float32)
