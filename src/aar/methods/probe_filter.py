"""Drop the rows whose weak label is furthest from what a logistic probe says."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="selection",
    inputs=("weak", "features", "fit"),
    source="EleutherAI/w2s, probe.py `LogisticProbe.filter`",
    summary="drop the share of rows that a cross-fitted logistic probe contradicts most",
    defaults={"drop": 0.1, "l2": 1e-3, "folds": 4},
    formula=r"\text{keep } i: |\sigma(\theta^\top h_i) - w_i| \le Q_{1-c}",
    departs="as in probe_relabel",
    grid=(
        {"drop": 0.3, "l2": 1e-1},
        {"folds": 0},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="soft", select="vouched_by_probe", select_params=p).run(task)
