"""Unsupervised elicitation on hidden states: contrast-consistent search, the teacher giving only the sign.

The two responses of a pair are the contrast pair: exactly one of them is the better one. See `parts/contrast.py`.
"""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.contrast import search, signed
from aar.types import Predictions, Task

CARD = Card(
    family="elicitation",
    inputs=("features", "weak", "pairs"),
    human=True,
    source="Burns et al. 2022, arXiv:2212.03827, eq. 1-3",
    summary="unsupervised probe of the student's hidden states; the teacher only gives the sign",
    defaults={"restarts": 10, "steps": 300, "lr": 0.01, "weight_decay": 0.01, "mean_only": True, "sure": 0.5},
    formula=r"L = \overline{(p^+ - (1 - p^-))^2} + \overline{\min(p^+, p^-)^2}",
    grid=({"mean_only": False},),
    departs="published: 1000 epochs at lr 1e-3, test rows normalised by their own mean, the sign by gold labels "
    "(max(acc, 1 - acc)). Here: 300 at 1e-2, the training rows' mean, features cut off at their 1 and 99 %, the sign by "
    "the teacher's surest half",
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    sure = p.pop("sure")
    probe = search(task.student, task.train, task.seed, **p)
    right_way = signed(probe.probability(task.student, task.train), task.train.weak, sure)
    p_test = probe.probability(task.student, task.test)
    return Predictions(task.test.ids, p_test if right_way else 1 - p_test)
