"""What an early student cannot fit is a suspect label, so it counts less in the second training."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="selection",
    inputs=("weak", "fit"),
    source="Liu et al. 2021, arXiv:2107.09044 (JTT), inverted for label noise",
    summary="down-weight the rows that a briefly trained student gets wrong",
    defaults={"epochs": 20, "factor": 5.0},
    formula=r"E = \{i : \hat y_i \ne \tilde y_i\}, \quad L = \sum_{i \notin E} \ell_i + \tfrac{1}{\lambda} \sum_{i \in E} \ell_i",
    departs="JTT up-weights the error set by lambda, since it trusts labels; here lambda divides",
    grid=(
        {"factor": 50.0},
        {"epochs": 60},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(weigh="undoubted", weigh_params=p).run(task)
