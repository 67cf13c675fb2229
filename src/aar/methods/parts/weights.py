"""Weight steps: how much each training row counts. Each is f(task, target, **params) -> [n], >= 0, mean 1.

A new step is a new function here; recipes name it (`Recipe(weigh="by_confidence")`).
"""

from __future__ import annotations

import numpy as np

from aar.methods.parts.labels import logit, sigmoid
from aar.types import Fit, Task


def _mean_one(weight: np.ndarray) -> np.ndarray:
    """Rows keep their share; where all would be nothing, all count alike."""
    total = weight.mean()
    return (weight / total if total > 0 else np.ones(len(weight))).astype(np.float32)


def evenly(task: Task, target: np.ndarray) -> np.ndarray:
    return np.ones(len(target), np.float32)


def by_confidence(task: Task, target: np.ndarray, power: float = 1.0) -> np.ndarray:
    """|2w - 1|^power: a row that the teacher is unsure of counts for nothing."""
    return _mean_one(np.abs(2 * np.asarray(task.train.weak, float) - 1) ** power)


def by_information(task: Task, target: np.ndarray) -> np.ndarray:
    """1 - H2(w) / ln 2: the bits that the teacher's answer carries."""
    z = logit(np.asarray(task.train.weak, float))
    w = sigmoid(z)
    return _mean_one(np.maximum(1 + (w * np.log(w) + (1 - w) * np.log1p(-w)) / np.log(2), 0))


def resampled(task: Task, target: np.ndarray, power: float = 1.0) -> np.ndarray:
    """How often each row comes up in n draws with probability ~ |2w - 1|^power."""
    share = by_confidence(task, target, power) / len(target)
    return np.random.default_rng([task.seed, 6]).multinomial(len(target), share / share.sum()).astype(np.float32)


def undoubted(task: Task, target: np.ndarray, epochs: int = 20, factor: float = 5.0) -> np.ndarray:
    """1 / factor for the error set of a student trained for `epochs` only: JTT (Liu et al. 2021, arXiv:2107.09044)
    the other way round. There the errors of an early model are hard rows and count more; here they are suspect labels."""
    (early,) = task.student.fit([Fit(task.train, target, seed=task.seed, epochs=epochs)])
    wrong = (early.predict(task.train) > 0.5) != (target > 0.5)
    return _mean_one(np.where(wrong, 1 / factor, 1.0))
