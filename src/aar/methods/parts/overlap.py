"""Which rows hold both an easy pattern, which the teacher knows, and a hard one, which only the student can learn.

Shin et al. 2024, arXiv:2412.03881; SprocketLab/datacentric_w2s. Rows of low teacher confidence are hard-only; of the others,
those that resemble some hard-only row overlap, the rest are easy-only.
"""

from __future__ import annotations

import numpy as np

from aar.methods.parts import changepoint
from aar.methods.parts import neighbours as near
from aar.types import Task


def hard_only(weak: np.ndarray) -> np.ndarray:
    """bool [n]: confidence 2 |w - .5| below its change point."""
    sure = 2 * np.abs(np.asarray(weak, np.float64) - 0.5)
    return sure < changepoint.threshold(sure)


def scores(task: Task, hard: np.ndarray, normalise: bool = True) -> np.ndarray:
    """[n] how much a row resembles its most similar hard-only row: the largest |cosine| (their probing script), or the
    largest raw inner product without the sign (their bandit). -inf for the hard-only rows themselves."""
    h = near.features(task, task.train, cosine=normalise)
    alike = h @ h[hard].T
    best = (np.abs(alike) if normalise else alike).max(1)
    return np.where(hard, -np.inf, best)


def overlapping(task: Task, normalise: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(overlap bool [n], hard-only bool [n], score [n])."""
    hard = hard_only(task.train.weak)
    score = scores(task, hard, normalise)
    over = ~hard & (score >= changepoint.threshold(score[~hard]))
    return over, hard, score
