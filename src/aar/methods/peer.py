"""Punish agreement with labels of other rows: what is left is what the label says of its own row."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "fit"),
    source="Liu and Guo 2020, arXiv:1910.03231, eq. 3",
    summary="peer loss, the mean over all independent peers",
    defaults={"alpha": 0.5},
    formula=r"L = \mathrm{CE}(p_i, \tilde y_i) - \alpha\, \overline{\mathrm{CE}(p_j, \tilde y_k)}",
    departs="the paper draws one peer a row; the mean over all is taken, which has the same expectation and no noise. alpha = 1 is for balanced noise",
    grid=(
        {"alpha": 0.2},
        {"alpha": 0.8},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="hard", loss="peer", loss_params=p).run(task)
