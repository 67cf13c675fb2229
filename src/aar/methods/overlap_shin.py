"""Train on the rows where an easy and a hard pattern overlap, found by two change points.

The overlap density |overlap| / n is logged. share: the mixing experiment of the paper, n = min(|overlap|, |others|) rows of
which this share is from the overlap; None: all of the overlap. Not AAR's "Overlap Density", which borrows the name.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.labels import hard
from aar.methods.parts.overlap import overlapping
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="selection",
    inputs=("weak", "features", "fit"),
    source="Shin et al. 2024, arXiv:2412.03881, alg. 1; SprocketLab/datacentric_w2s overlap_probing_experiment.py",
    summary="train on rows that hold an easy and a hard pattern at once",
    defaults={"share": None, "normalise": True},
    formula=r"c_i = 2|w_i - \tfrac12| \ge t_c, \quad o_i = \max_{j: c_j < t_c} |\cos(h_i, h_j)| \ge t_o",
    departs="one l2 change point by prefix sums, which is what ruptures' Binseg finds; their bandit uses raw inner products (normalise=False)",
    grid=({"share": 0.7}, {"normalise": False}),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    over, _, _ = overlapping(task, p["normalise"])
    task.log(overlap_density=float(over.mean()))
    chosen = np.flatnonzero(over)
    if p["share"] is not None:
        rng, n = np.random.default_rng([task.seed, 22]), min(over.sum(), (~over).sum())
        first = round(p["share"] * n)
        chosen = np.concatenate([rng.permutation(chosen)[:first], rng.permutation(np.flatnonzero(~over))[: n - first]])
    (model,) = task.student.fit([Fit(task.train.take(chosen), hard(task)[chosen], seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
