"""Drop the rows whose weak label is furthest from their neighbours' mean."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="selection",
    inputs=("weak", "features", "fit"),
    source="EleutherAI/w2s, probe.py `KnnProbe.filter`",
    summary="drop the share of rows that their neighbours contradict most",
    defaults={"drop": 0.1, "k": 50, "cosine": False, "include_self": False},
    formula=r"\text{keep } i: |q_i - w_i| \le Q_{1-c}, \quad q_i = \frac{1}{k} \sum_{j \in \mathrm{kNN}(h_i)} w_j",
    departs="as in knn_relabel",
    grid=(
        {"drop": 0.3},
        {"cosine": True, "k": 20},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="soft", select="vouched_by_neighbours", select_params=p).run(task)
