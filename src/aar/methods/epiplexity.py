"""AAR's "epiplexity": smooth the labels that a probe does not come to believe by reading on.

u: out-of-fold student predictions (K = 2). A second student reads u once in each order; e = loss when first seen - loss at the
end. Rows of little gain carry nothing that can be learnt: with rank r in [0, 1], eps = (1 - r / .4)^2 below .4 and 0 above, and
the target is (1 - eps) u + eps / 2. Trained on all rows; a swapped pair says the same to an odd head.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.crossfit import out_of_fold
from aar.methods.parts.labels import hard
from aar.methods.parts.prequential import trace
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="selection",
    inputs=("weak", "fit"),
    source="automated-w2s study 2026, `Epiplexity` (PGR .62 there), after arXiv:2601.03220",
    summary="out-of-fold labels, smoothed where reading on does not lower their loss",
    defaults={"folds": 2, "blocks": 6, "epochs": 20, "low": 0.4, "most": 1.0},
    formula=r"e_i = \ell_i^{\text{first}} - \ell_i^{\text{last}}, \quad \epsilon_i = (1 - r_i / 0.4)_+^2, \quad w' = (1 - \epsilon) u + \epsilon / 2",
    departs="the largest epsilon is not given in the sketch (`most` scales it); the block size is ours",
    grid=({"low": 0.2}, {"folds": 5}),
)


def smoothing(gain: np.ndarray, low: float, most: float) -> np.ndarray:
    """[n] eps of rows by the rank of their gain."""
    rank = np.argsort(np.argsort(gain, kind="stable"), kind="stable") / max(len(gain) - 1, 1)
    return most * np.where(rank > low, 0.0, (1 - rank / low) ** 2)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    u = out_of_fold(task, hard(task), folds=p["folds"])
    gain = np.zeros(len(u))
    for reverse in (False, True):
        loss, turn = trace(task, u, p["blocks"], p["epochs"], reverse)
        gain += loss[turn, np.arange(len(u))] - loss[-1]
    eps = smoothing(gain, p["low"], p["most"])
    (model,) = task.student.fit([Fit(task.train, (1 - eps) * u + eps / 2, seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
