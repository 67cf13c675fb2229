"""Estimate the class shares of the unlabeled rows by EM and correct the teacher for them."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="imitation",
    inputs=("weak", "fit"),
    source="Saerens, Latinne and Decaestecker 2002, Neural Computation 14, eq. 2.9",
    summary="soft labels corrected for class shares estimated by EM",
    defaults={"prior0": 0.5, "steps": 200},
    formula=r"w'_c \propto w_c\, \pi_c / \pi^0_c, \quad \pi \leftarrow \overline{w'}",
    departs="the EM finds the truth only where the teacher is calibrated under prior0; an overconfident teacher pulls the shares apart",
    grid=({"steps": 1},),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="saerens", label_params=p).run(task)
