"""Selection steps: which training rows are kept. Each is f(task, target, **params) -> bool [n].

A new step is a new function here; recipes name it (`Recipe(select="confident")`). None may look at a test label: none
is given one.
"""

from __future__ import annotations

import numpy as np

from aar.methods.parts.crossfit import out_of_fold
from aar.types import Task


def _top(score: np.ndarray, keep: float) -> np.ndarray:
    """The `keep` share with the highest score, ties by position."""
    chosen = np.zeros(len(score), bool)
    chosen[np.argsort(-score, kind="stable")[: max(2, int(np.ceil(keep * len(score))))]] = True
    return chosen


def _top_per_class(score: np.ndarray, hard: np.ndarray, keep: float) -> np.ndarray:
    chosen = np.zeros(len(score), bool)
    for side in (False, True):
        where = np.flatnonzero(hard == side)
        if len(where):
            chosen[where[_top(score[where], keep)]] = True
    return chosen


def everything(task: Task, target: np.ndarray) -> np.ndarray:
    return np.ones(len(target), bool)


def confident(task: Task, target: np.ndarray, keep: float = 0.5) -> np.ndarray:
    """The teacher's most confident rows, the same share of each predicted class."""
    weak = task.train.weak
    return _top_per_class(np.abs(weak - 0.5), weak > 0.5, keep)


def agreeing(task: Task, target: np.ndarray, keep: float = 0.6) -> np.ndarray:
    """Rows whose target a student that never saw them gives the highest probability (cross-fitted small loss)."""
    p = out_of_fold(task, target)
    return _top(np.where(target > 0.5, p, 1 - p), keep)


def dense(task: Task, target: np.ndarray, keep: float = 0.6, k: int = 20) -> np.ndarray:
    """Rows most of whose nearest neighbours carry the same hard target (a local-consistency filter)."""
    h = task.student.features(task.train)
    h = h / (np.linalg.norm(h, axis=1, keepdims=True) + 1e-6)
    near = h @ h.T
    sign = np.where(target > 0.5, 1.0, -1.0)
    reach = np.abs(near) if task.kind == "pair" else near.copy()
    np.fill_diagonal(reach, -np.inf)
    pick = np.argpartition(-reach, k, axis=1)[:, :k]
    vote = sign[pick] * (np.sign(np.take_along_axis(near, pick, 1)) if task.kind == "pair" else 1.0)
    return _top((vote * sign[:, None]).mean(1), keep)
