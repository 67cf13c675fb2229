"""Shift the teacher's log-odds so that the mean label is the prior, then train on them."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="imitation",
    inputs=("weak", "fit"),
    source="EleutherAI/w2s, loss.py `balance_batch`",
    summary="soft labels shifted so that their mean is the prior",
    defaults={"prior": 0.5},
    formula=r"w' = \sigma(\mathrm{logit}(w) - b), \quad \overline{w'} = \pi",
    departs="their code subtracts the mean log-odds of a batch, which centres the log-odds; here b makes the mean label of all rows the prior",
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="balanced", label_params=p).run(task)
