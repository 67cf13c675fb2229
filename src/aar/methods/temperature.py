"""Sharpen or flatten the teacher's probabilities before the student learns them."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="imitation",
    inputs=("weak", "fit"),
    source="Hinton et al. 2015, arXiv:1503.02531, sec. 2 (softmax temperature)",
    summary="train on the teacher's probabilities at another temperature",
    defaults={"temperature": 0.5},
    formula=r"L = \mathrm{CE}(\sigma(z), \sigma(\mathrm{logit}(w) / T))",
    grid=(
        {"temperature": 0.25},
        {"temperature": 2.0},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="sharpened", label_params=p).run(task)
