"""The student's belief and the teacher's, multiplied, as the target.

warmup_frac is stored in the published class and never used, so there is none here.
"""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "fit"),
    source="openai/weak-to-strong loss.py `product_loss_fn`",
    summary="cross-entropy to the normalised product of student and teacher",
    defaults={"alpha": 1.0, "beta": 1.0},
    formula=r"q_c \propto p_c^\beta w_c^\alpha, \quad L = \mathrm{CE}(p, \mathrm{sg}(q))",
    departs="the published class stores warmup_frac and never uses it; the reference study lists the loss and never implemented it",
    grid=(
        {"beta": 0.5},
        {"alpha": 0.5},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="soft", loss="product", loss_params=p).run(task)
