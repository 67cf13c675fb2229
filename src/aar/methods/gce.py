"""Between cross-entropy and mean absolute error: rows that the student finds unlikely pull less."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "fit"),
    source="Zhang and Sabuncu 2018, arXiv:1805.07836, eq. 6",
    summary="generalised cross-entropy on hard labels",
    defaults={"q": 0.7},
    formula=r"L = (1 - p_y^q) / q",
    grid=(
        {"q": 0.4},
        {"q": 0.95},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="hard", loss="gce", loss_params=p).run(task)
