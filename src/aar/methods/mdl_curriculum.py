"""First the rows that are cheap to describe, then all: two fifths of the training on the confident half, the rest on everything.

The student goes on from the same weights with half the learning rate. Published as 2 + 3 epochs of a finetuned LM; `first` and
`second` are epochs of the student at hand (a head takes 120 in all by default).
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.selections import top
from aar.models.training import rate
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="selection",
    inputs=("weak", "features", "fit"),
    source="automated-w2s study 2026, `MDL curriculum` (PGR .68 there)",
    summary="soft labels: the confident half first, then all rows at half the rate",
    defaults={"keep": 0.5, "first": 48, "second": 72, "lr": None, "slower": 0.5},
    formula=r"\theta_1 = \mathrm{fit}(\{i : |w_i - \tfrac12| \ge \mathrm{median}\}; \eta), \quad \theta_2 = \mathrm{fit}(\text{all}; \eta / 2, \text{from } \theta_1)",
    grid=({"first": 96, "second": 24}, {"keep": 0.25}),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    weak = task.train.weak
    lr = p["lr"] or rate(task.student.features(task.train.take([0])).shape[1])
    sure = top(np.abs(weak - 0.5), p["keep"])
    start = Fit(task.train.take(sure), weak[sure], seed=task.seed, epochs=p["first"], lr=lr)
    (model,) = task.student.fit([start])
    (model,) = task.student.fit(
        [Fit(task.train, weak, seed=task.seed + 1, epochs=p["second"], lr=p["slower"] * lr, init=model)]
    )
    return Predictions(task.test.ids, model.predict(task.test))
