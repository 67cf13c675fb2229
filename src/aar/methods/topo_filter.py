"""Keep the connected core of each class in the neighbour graph, then drop what its neighbours contradict."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="selection",
    inputs=("weak", "features", "fit"),
    source="Wu et al. 2020, arXiv:2012.04835; EleutherAI/w2s topo.py `topofilter`",
    summary="drop rows outside the connected core of their class",
    defaults={"drop": 0.1, "k_core": 50, "k": 50, "modified": False},
    formula=r"C_y = \text{largest strong component of } \{i \to j \in \mathrm{kNN}(i), y_i = y_j\}; \quad \text{drop the largest } |w_i - q_i| \text{ in } C",
    departs="where one class has no edge at all, their argmax keeps the first row whatever its class; here each class is searched by itself",
    grid=(
        {"drop": 0.3},
        {"drop": 0.3, "k_core": 10, "k": 20},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="soft", select="vouched_by_topology", select_params=p).run(task)
