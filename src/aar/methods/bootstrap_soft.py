"""The target is mostly the weak label and a little what the student already believes."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "fit"),
    source="Reed et al. 2014, arXiv:1412.6596, eq. 6",
    summary="soft bootstrapping",
    defaults={"b": 0.95},
    formula=r"L = \mathrm{CE}(p, b \mathbb{1}[w > 1/2] + (1-b) p)",
    grid=(
        {"b": 0.8},
        {"b": 0.6},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="hard", loss="bootstrap_soft", loss_params=p).run(task)
