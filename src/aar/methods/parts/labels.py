"""Label steps: what the student is trained towards, from what the teacher said. Each is f(task, **params) -> [n] in [0, 1].

A new step is a new function here; recipes name it (`Recipe(label="balanced")`).
"""

from __future__ import annotations

import numpy as np

from aar.methods.parts import neighbours as near
from aar.methods.parts.crossfit import folds_of
from aar.methods.parts.logistic import probe
from aar.methods.parts.topology import core
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
    """(1 - e) 1[w > .5] + e / 2, kept in [0, 1], so that e < 0 is e = 0. Negative smoothing needs the loss `smoothed`."""
    return np.clip((1 - epsilon) * hard(task) + epsilon / 2, 0, 1)


def balanced(task: Task, prior: float = 0.5) -> np.ndarray:
    """sigmoid(logit(w) - b) with b such that the mean is the prior (EleutherAI `balance_batch`, on the whole set)."""
    z, low, high = logit(task.train.weak), -30.0, 30.0
    for _ in range(60):  # the mean falls in b, so bisection finds it
        b = (low + high) / 2
        low, high = (b, high) if sigmoid(z - b).mean() > prior else (low, b)
    return sigmoid(z - low)


def saerens(task: Task, prior0: float = 0.5, steps: int = 200) -> np.ndarray:
    """w'_c ~ w_c pi_c / prior0_c, pi = mean w', iterated: the class shares that the teacher did not know of.
    Saerens et al. 2002, eq. 2.9; the EM only finds the truth where w is calibrated under prior0."""
    z = logit(np.asarray(task.train.weak, float)) - logit(np.array(prior0))
    pi = float(task.train.weak.mean())
    for _ in range(steps):
        pi = float(sigmoid(z + logit(np.array(pi))).mean())
    return sigmoid(z + logit(np.array(pi)))


def neighbours(
    task: Task, k: int = 25, layer: int | None = None, cosine: bool = True, include_self: bool = False
) -> np.ndarray:
    """Mean weak label of the k nearest training rows in the student's features (EleutherAI w2s, kNN relabel; their
    comment says cosine, their code takes Euclidean distance).

    As published the row itself is among its neighbours (include_self); by default no row vouches for itself.
    """
    h = near.features(task, task.train, layer, cosine)
    own = None if include_self else np.arange(len(h))
    return near.cloud(h, task.train.weak, task.kind).vote(h, k, own)


def topological(task: Task, k_core: int = 20, k: int = 20, include_self: bool = False) -> np.ndarray:
    """Mean weak label of the k nearest rows in the connected core of their class (EleutherAI w2s, topolabel)."""
    h = near.features(task, task.train)
    whole = near.cloud(h, task.train.weak, task.kind)
    kept = core(whole, k_core)
    inside = near.Cloud(whole.points[kept], whole.label[kept], whole.owner[kept])
    return inside.vote(h, k, None if include_self else np.arange(len(h)))


def probed(task: Task, l2: float = 1e-3, folds: int = 4) -> np.ndarray:
    """What a logistic probe of the features says (EleutherAI w2s, logreg; l2 is 1e-3 in code, 1e-2 in their report).

    As published the probe judges the rows it was fitted to (folds=0); by default those of other folds.
    """
    h, w = near.features(task, task.train), np.asarray(task.train.weak, float)
    if not folds:
        return probe(h, w, l2, task.kind)(h)
    q, fold = np.empty(len(w)), folds_of(task, folds)
    for f in range(folds):
        q[fold == f] = probe(h[fold != f], w[fold != f], l2, task.kind)(h[fold == f])
    return q
