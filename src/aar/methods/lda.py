"""Linear discriminant analysis on weak labels: the difference of means, whitened by the within-class covariance.

theta = Sigma^-1 (mu_1 - mu_0), Sigma shrunk towards a multiple of the identity, because there are often fewer rows than
features: Sigma = (1 - g) S + g tr(S)/d I, g by Ledoit and Wolf unless given.
"""

from __future__ import annotations

import numpy as np
from sklearn.covariance import ledoit_wolf_shrinkage

from aar.methods.card import Card
from aar.methods.parts.directions import along, mean_difference, within
from aar.types import Kind, Predictions, Task

CARD = Card(
    family="elicitation",
    inputs=("features", "weak"),
    source="Fisher 1936; Ledoit & Wolf 2004, doi:10.1016/S0047-259X(03)00096-4; Marks & Tegmark 2023, arXiv:2310.06824, eq. 3",
    summary="difference in means, whitened by the shrunk within-class covariance",
    defaults={"shrinkage": None},
    formula=r"\theta = \Sigma^{-1}(\mu_1 - \mu_0),\quad \Sigma = (1-\gamma) S + \gamma \tfrac{\mathrm{tr} S}{d} I",
    grid=({"shrinkage": 0.1}, {"shrinkage": 0.5}),
)


def direction(h: np.ndarray, hard: np.ndarray, kind: Kind, shrinkage: float | None = None) -> np.ndarray:
    """[d] of h [n, d] and labels [n] bool. shrinkage in [0, 1], None: Ledoit-Wolf."""
    rest = within(h, hard, kind)
    g = ledoit_wolf_shrinkage(rest, assume_centered=True) if shrinkage is None else shrinkage
    s = rest.T @ rest / len(rest)
    d = len(s)
    return np.linalg.solve((1 - g) * s + (g * np.trace(s) / d + 1e-12) * np.eye(d), mean_difference(h, hard, kind))


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    h, hard = task.student.features(task.train).astype(np.float64), task.train.weak > 0.5
    probe = along(direction(h, hard, task.kind, p["shrinkage"]), h, hard, task.kind)
    return Predictions(task.test.ids, probe.probability(task.student.features(task.test)))
