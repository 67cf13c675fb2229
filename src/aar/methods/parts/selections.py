"""Selection steps: which training rows are kept. Each is f(task, target, **params) -> bool [n].

A new step is a new function here; recipes name it (`Recipe(select="confident")`). None may look at a test label: none
is given one.
"""

from __future__ import annotations

import numpy as np

from aar.methods.parts import labels
from aar.methods.parts import neighbours as near
from aar.methods.parts.crossfit import out_of_fold
from aar.methods.parts.topology import core
from aar.types import Task


def top(score: np.ndarray, keep: float) -> np.ndarray:
    """The `keep` share with the highest score, ties by position."""
    chosen = np.zeros(len(score), bool)
    chosen[np.argsort(-score, kind="stable")[: max(2, int(np.ceil(keep * len(score))))]] = True
    return chosen


def top_per_class(score: np.ndarray, hard: np.ndarray, keep: float) -> np.ndarray:
    """The same of each class by itself."""
    chosen = np.zeros(len(score), bool)
    for side in (False, True):
        where = np.flatnonzero(hard == side)
        if len(where):
            chosen[where[top(score[where], keep)]] = True
    return chosen


def everything(task: Task, target: np.ndarray) -> np.ndarray:
    return np.ones(len(target), bool)


def confident(task: Task, target: np.ndarray, keep: float = 0.5, per_class: bool = True) -> np.ndarray:
    """The teacher's most confident rows, the same share of each predicted class or of all."""
    sure = np.abs(task.train.weak - 0.5)
    return top_per_class(sure, task.train.weak > 0.5, keep) if per_class else top(sure, keep)


def agreeing(task: Task, target: np.ndarray, keep: float = 0.6) -> np.ndarray:
    """Rows whose target a student that never saw them gives the highest probability (cross-fitted small loss)."""
    p = out_of_fold(task, target)
    return top(np.where(target > 0.5, p, 1 - p), keep)


def dense(task: Task, target: np.ndarray, keep: float = 0.6, k: int = 20) -> np.ndarray:
    """Rows most of whose nearest neighbours carry the same hard target (a local-consistency filter)."""
    h, hard = near.features(task, task.train, cosine=True), target > 0.5
    q = near.cloud(h, hard, task.kind).vote(h, k, own=np.arange(len(h)))
    return top(np.where(hard, q, 1 - q), keep)


def unlike(q: np.ndarray, weak: np.ndarray, drop: float) -> np.ndarray:
    """All rows but the `drop` share with the largest |q - w| (EleutherAI w2s, Probe.filter)."""
    return top(-np.abs(q - weak), 1 - drop)


def vouched_by_neighbours(
    task: Task, target: np.ndarray, drop: float = 0.1, k: int = 50, cosine: bool = False, include_self: bool = False
) -> np.ndarray:
    """Without the rows that disagree most with their nearest neighbours."""
    return unlike(labels.neighbours(task, k, cosine=cosine, include_self=include_self), task.train.weak, drop)


def vouched_by_probe(task: Task, target: np.ndarray, drop: float = 0.1, l2: float = 1e-3, folds: int = 4) -> np.ndarray:
    """Without the rows that disagree most with a logistic probe."""
    return unlike(labels.probed(task, l2, folds), task.train.weak, drop)


def vouched_by_topology(
    task: Task, target: np.ndarray, drop: float = 0.1, k_core: int = 50, k: int = 50, modified: bool = False
) -> np.ndarray:
    """The connected core of each class, then, while fewer than `drop` are gone, without the rows furthest from the mean of
    their neighbours in the core. modified: the rows furthest from their topological label, core or not."""
    weak = np.asarray(task.train.weak, np.float64)
    if modified:
        return unlike(labels.topological(task, k_core, k), weak, drop)
    h = near.features(task, task.train)
    whole = near.cloud(h, weak, task.kind)
    kept = core(whole, k_core)
    inside = near.Cloud(whole.points[kept], whole.label[kept], whole.owner[kept])
    rest = np.flatnonzero(kept[: len(weak)])
    more = max(round(len(weak) * drop) - (len(weak) - len(rest)), 0)
    far = np.abs(weak[rest] - inside.vote(h[rest], k, own=rest))
    chosen = np.zeros(len(weak), bool)
    chosen[rest[np.argsort(far, kind="stable")[: len(rest) - more]]] = True
    return chosen
