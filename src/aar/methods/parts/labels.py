"""Label steps: what the student is trained towards, from what the teacher said. Each is f(task, **params) -> [n] in [0, 1].

A new step is a new function here; recipes name it (`Recipe(label="balanced")`).
"""

from __future__ import annotations

import numpy as np

from aar.types import Task

CLIP = 1e-6


def logit(p: np.ndarray) -> np.ndarray:
    p = np.clip(p, CLIP, 1 - CLIP)
    return np.log(p) - np.log1p(-p)


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def hard(task: Task) -> np.ndarray:
    """1[w > .5]. Burns et al. 2023, sec. 3."""
    return (task.train.weak > 0.5).astype(np.float32)


def soft(task: Task) -> np.ndarray:
    """w itself."""
    return task.train.weak


def sharpened(task: Task, temperature: float = 0.5) -> np.ndarray:
    """sigmoid(logit(w) / T): T < 1 hardens, T > 1 flattens."""
    return sigmoid(logit(task.train.weak) / temperature)


def smoothed(task: Task, epsilon: float = 0.1) -> np.ndarray:
    """(1 - e) 1[w > .5] + e / 2; e < 0 is negative smoothing. Wei et al. 2021, arXiv:2106.04149."""
    return np.clip((1 - epsilon) * hard(task) + epsilon / 2, 0, 1)


def balanced(task: Task, prior: float = 0.5) -> np.ndarray:
    """sigmoid(logit(w) - b) with b such that the mean is the prior (EleutherAI `balance_batch`, on the whole set)."""
    z, low, high = logit(task.train.weak), -30.0, 30.0
    for _ in range(60):  # the mean falls in b, so bisection finds it
        b = (low + high) / 2
        low, high = (b, high) if sigmoid(z - b).mean() > prior else (low, b)
    return sigmoid(z - low)


def neighbours(task: Task, k: int = 25, layer: int | None = None) -> np.ndarray:
    """Mean weak label of the k nearest training rows in the student's features (EleutherAI w2s, kNN relabel).

    As published the row itself is among its neighbours; here it is not, so that no row vouches for itself.
    """
    k = min(k, len(task.train) - 1)
    h = task.student.features(task.train, layer)
    h = h / (np.linalg.norm(h, axis=1, keepdims=True) + CLIP)
    near = h @ h.T
    if task.kind == "pair":  # a mirrored neighbour votes for the mirrored label
        weak, sign = task.train.weak, np.sign(near)
        near = np.abs(near)
        np.fill_diagonal(near, -np.inf)
        pick = np.argpartition(-near, k, axis=1)[:, :k]
        votes = np.where(np.take_along_axis(sign, pick, 1) > 0, weak[pick], 1 - weak[pick])
        return votes.mean(1)
    np.fill_diagonal(near, -np.inf)
    return task.train.weak[np.argpartition(-near, k, axis=1)[:, :k]].mean(1)
