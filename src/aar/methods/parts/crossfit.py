"""Out-of-fold predictions: what a student says of rows it was not trained on. Folds go by group, never across one."""

from __future__ import annotations

import numpy as np

from aar.types import Fit, Loss, Task


def folds_of(task: Task, folds: int) -> np.ndarray:
    """[n] fold of each training row; rows of one question share it."""
    _, member = np.unique(task.train.group, return_inverse=True)
    return np.random.default_rng([task.seed, folds]).permutation(member.max() + 1)[member] % folds


def out_of_fold(
    task: Task, target: np.ndarray, keep: np.ndarray | None = None, folds: int = 4, loss: Loss = "xent"
) -> np.ndarray:
    """[n] P(label = 1) of every training row by students trained on the other folds (and on `keep` only)."""
    fold, keep = folds_of(task, folds), np.ones(len(target), bool) if keep is None else keep
    parts = [np.flatnonzero((fold != k) & keep) for k in range(folds)]
    jobs = [Fit(task.train.take(part), target[part], loss=loss, seed=task.seed + k) for k, part in enumerate(parts)]
    p = np.empty(len(target), dtype=np.float32)
    for k, model in enumerate(task.student.fit(jobs)):
        p[fold == k] = model.predict(task.train.take(fold == k))
    return p
