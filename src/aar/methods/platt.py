"""Calibrate the teacher on trusted rows, then train on its calibrated probabilities.

w' = sigma(a logit w + b), (a, b) by likelihood on the trusted rows with Platt's smoothed targets
(n1 + 1) / (n1 + 2) and 1 / (n0 + 2), which keep both finite where the teacher is right on all of them.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from aar.errors import Unsupported
from aar.methods.card import Card
from aar.methods.parts.labels import logit, sigmoid
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="imitation",
    inputs=("weak", "labelled", "fit"),
    source="Platt 1999, Probabilistic outputs for support vector machines, sec. 2; Guo et al. 2017, arXiv:1706.04599",
    summary="soft labels calibrated on trusted rows",
    defaults={"odd": True},
    formula=r"w' = \sigma(a\, \mathrm{logit}(w) + b)",
    departs="a pair's teacher is odd, so b is fixed at 0 for pairs (odd=True)",
    grid=({"odd": False},),
)


def fitted(weak: np.ndarray, truth: np.ndarray, odd: bool) -> tuple[float, float]:
    """(a, b) of the least cross-entropy of sigma(a logit w + b) to Platt's targets. weak, truth: [n]."""
    ones = int((truth > 0.5).sum())
    target = np.where(truth > 0.5, (ones + 1) / (ones + 2), 1 / (len(truth) - ones + 2))
    z = logit(np.asarray(weak, float))

    def loss(at: np.ndarray) -> float:
        v = at[0] * z + (0.0 if odd else at[1])
        return float((np.logaddexp(0, v) - target * v).mean())

    a, b = minimize(loss, np.array([1.0, 0.0]), method="BFGS").x
    return float(a), 0.0 if odd else float(b)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    trusted = task.labelled
    if trusted is None or trusted.weak is None or trusted.truth is None:
        raise Unsupported("not run on this student or problem: trusted rows need weak labels and truth")
    a, b = fitted(trusted.weak, trusted.truth, odd=p["odd"] and task.kind == "pair")
    target = sigmoid(a * logit(np.asarray(task.train.weak, float)) + b)
    (model,) = task.student.fit([Fit(task.train, target, seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
