"""Rows count by how sure the teacher is of them.

by: `by_confidence` |2w - 1|^power, `by_information` 1 - H2(w) / ln 2 (no power), or `resampled` with probability ~ |2w - 1|^power.
"""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="imitation",
    inputs=("weak", "fit"),
    source="common practice; the information form weighs by the bits of a binary symmetric channel (Shannon 1948)",
    summary="hard labels, each row weighted by the teacher's confidence",
    defaults={"by": "by_confidence", "power": 1.0},
    formula=r"L = \frac{\sum_i c_i\, \mathrm{CE}(\sigma(z_i), \mathbb{1}[w_i > 1/2])}{\sum_i c_i}, \quad c_i = |2 w_i - 1|^\gamma",
    grid=(
        {"power": 2.0},
        {"by": "by_information"},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(weigh=p["by"], weigh_params={} if p["by"] == "by_information" else {"power": p["power"]}).run(task)
