"""Dawid-Skene over several teachers: each counts by how reliable the others make it look.

Helps where teachers differ in quality and err apart; teachers that are seeds of one model err together, and then this is
the majority at best.
"""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.annotators import dawid_skene
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="combination",
    inputs=("votes", "fit"),
    source="Dawid & Skene 1979, Applied Statistics 28(1), eq. 2.3-2.5; crowd-kit as oracle",
    summary="soft labels from several teachers, each weighted by its estimated error rates",
    defaults={"laplace": 0.01},
    formula=r"\mathrm{logit}\,q = \mathrm{logit}\,\pi + \sum_k v_k \ln\tfrac{TPR_k}{FPR_k}"
    r" + (1 - v_k)\ln\tfrac{1 - TPR_k}{1 - FPR_k}",
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    q = dawid_skene(task.train.votes > 0.5, laplace=p["laplace"]).posterior
    (model,) = task.student.fit([Fit(task.train, q, seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
