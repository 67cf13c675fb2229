"""Replace each weak label by what a logistic probe of the hidden states says, fitted to the other rows."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="selection",
    inputs=("weak", "features", "fit"),
    source="EleutherAI/w2s, probe.py `LogisticProbe`",
    summary="labels replaced by a cross-fitted logistic probe's",
    defaults={"l2": 1e-3, "folds": 4},
    formula=r"w' = \sigma(\theta^\top h), \quad \theta = \arg\min \overline{\mathrm{CE}(\sigma(\theta^\top h), w)} + \tfrac{\lambda}{2} |\theta|^2",
    departs="their probe judges the rows it was fitted to (folds=0); l2 is 1e-3 in code and 1e-2 in their report",
    grid=(
        {"l2": 1e-1},
        {"l2": 1e-2, "folds": 0},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="probed", label_params=p).run(task)
