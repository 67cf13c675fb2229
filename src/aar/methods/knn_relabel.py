"""Replace each weak label by the mean of its nearest neighbours in the student's features."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="selection",
    inputs=("weak", "features", "fit"),
    source="EleutherAI/w2s, probe.py `KnnProbe`",
    summary="labels replaced by their neighbours' mean",
    defaults={"k": 50, "cosine": False, "include_self": False},
    formula=r"w'_i = \frac{1}{k} \sum_{j \in \mathrm{kNN}(h_i)} w_j",
    departs="their kNN counts the row itself among its neighbours (include_self); their comment says cosine, their code is Euclidean. Pairs also count read the other way round",
    grid=(
        {"k": 20},
        {"cosine": True},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="neighbours", label_params=p).run(task)
