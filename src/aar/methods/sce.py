"""Cross-entropy and its reverse together."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "fit"),
    source="Wang et al. 2019, arXiv:1908.06112, eq. 7",
    summary="symmetric cross-entropy on hard labels",
    defaults={"alpha": 0.1, "beta": 1.0},
    formula=r"L = \alpha\, \mathrm{CE} + \beta\, \mathrm{RCE}, \quad \ln 0 := -4",
    grid=(
        {"alpha": 1.0},
        {"alpha": 6.0},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="hard", loss="sce", loss_params=p).run(task)
