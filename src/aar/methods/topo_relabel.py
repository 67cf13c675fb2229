"""Replace each weak label by the mean of its nearest neighbours in the connected core of the classes."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="selection",
    inputs=("weak", "features", "fit"),
    source="EleutherAI/w2s topo.py `topolabel`",
    summary="labels replaced by the mean of the nearest rows of the class cores",
    defaults={"k_core": 20, "k": 20, "include_self": False},
    formula=r"w'_i = \frac{1}{k} \sum_{j \in \mathrm{kNN}_C(h_i)} w_j",
    departs="their relabelling counts the row itself (include_self)",
    grid=(
        {"k_core": 50, "k": 50},
        {"k_core": 10},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="topological", label_params=p).run(task)
