"""An ensemble of teachers: the trimmed mean of their log-odds, rows counting less where they disagree.

The trimmed mean drops the highest and lowest votes of each row, so that one teacher that is wildly sure and wrong does
not carry it; the spread that is left is the ensemble's own uncertainty.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import trim_mean

from aar.methods.card import Card
from aar.methods.parts.labels import logit, sigmoid
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="combination",
    inputs=("votes", "fit"),
    source="Lakshminarayanan et al. 2017, arXiv:1612.01474, sec. 2.4; automated-w2s reference study 2026 (trimmed mean)",
    summary="soft labels from the trimmed mean of several teachers' log-odds",
    defaults={"trim": 0.15, "doubt": 0.0},
    formula=r"\bar z = \mathrm{trim}_{15\%}\, \mathrm{logit}\, v_k,\quad \omega = (1 + d\,\mathrm{sd}_k\, \mathrm{logit}\, v_k)^{-1}",
    grid=({"trim": 0.3}, {"doubt": 1.0}),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    z = logit(np.asarray(task.train.votes, np.float64))
    weight = 1 / (1 + p["doubt"] * z.std(1))
    (model,) = task.student.fit([Fit(task.train, sigmoid(trim_mean(z, p["trim"], axis=1)), weight, seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
