"""Score rows along one direction of the student's features. Directions come from class means, from the within-class
covariance or from principal components; what they share is here.

Pairs: features are h(second) - h(first), so a row with label 0 is a mirrored row with label 1. Scores are odd and the
threshold is 0. Claims: the threshold is half way between the classes. n rows, d features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aar.methods.parts.labels import sigmoid
from aar.types import Kind


@dataclass(frozen=True)
class Direction:
    """theta f64 [d]; middle: the score that is neither; spread: one unit of log-odds."""

    theta: np.ndarray
    middle: float
    spread: float

    def probability(self, h: np.ndarray) -> np.ndarray:
        return sigmoid((h @ self.theta - self.middle) / self.spread)


def along(theta: np.ndarray, h: np.ndarray, hard: np.ndarray, kind: Kind) -> Direction:
    """The direction with its threshold and unit from training rows h [n, d] and labels hard [n] bool."""
    score = h @ theta
    middle = (
        0.0
        if kind == "pair"
        else (score[hard].mean() + score[~hard].mean()) / 2
        if 0 < hard.sum() < len(hard)
        else score.mean()
    )
    return Direction(theta, float(middle), float(np.abs(score - middle).mean()) + 1e-12)


def mean_difference(h: np.ndarray, hard: np.ndarray, kind: Kind) -> np.ndarray:
    """[d]: mean(h | 1) - mean(h | 0); of pairs the mean of the mirrored rows."""
    if kind == "pair":
        return (h * np.where(hard, 1, -1)[:, None]).mean(0)
    if not 0 < hard.sum() < len(hard):
        return np.zeros(h.shape[1])
    return h[hard].mean(0) - h[~hard].mean(0)


def within(h: np.ndarray, hard: np.ndarray, kind: Kind) -> np.ndarray:
    """[n, d]: rows less the mean of their class."""
    if kind == "pair":
        mirrored = h * np.where(hard, 1, -1)[:, None]
        return mirrored - mirrored.mean(0)
    out = h.astype(np.float64, copy=True)
    for side in (hard, ~hard):
        if side.any():
            out[side] -= h[side].mean(0)
    return out


def components(h: np.ndarray, kind: Kind, k: int) -> np.ndarray:
    """[k, d] first principal components, of pairs without centring (their mirror images have the opposite mean)."""
    centred = h if kind == "pair" else h - h.mean(0)
    return np.linalg.svd(centred, full_matrices=False)[2][:k]
