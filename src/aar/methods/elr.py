"""Early-learning regularisation: the student is held to what it believed early, before it memorised."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "fit"),
    source="Liu et al. 2020, arXiv:2007.00151, eq. 6",
    summary="cross-entropy held to a running mean of the student's predictions",
    defaults={"b": 0.7, "strength": 1.0},
    formula=r"L = \mathrm{CE}(p, \tilde y) + \lambda\, \overline{\ln(1 - \langle p, t \rangle)}, \quad t \leftarrow b t + (1-b) p",
    departs="their strength is 3 for ten classes; 1 is the default for two",
    grid=(
        {"strength": 3.0},
        {"b": 0.9},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="hard", loss="elr", loss_params=p).run(task)
