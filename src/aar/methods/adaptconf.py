"""Each row is mixed by how confident the student is, compared with what the teacher's label costs it."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "fit"),
    source="Guo et al. 2024, arXiv:2402.03749, eq. 5; ggjy/vision_weak_to_strong adaptconf.py",
    summary="adaptive confidence distillation",
    defaults={"temperature": 0.5},
    formula=r"L = (1-\beta)\, \mathrm{KL}(w \| p) + \beta\, \mathrm{CE}(p, \hat p), \quad \beta = \frac{e^{\mathrm{CE}(p, \hat p) / T}}{e^{\mathrm{CE}(p, \hat p) / T} + e^{\mathrm{CE}(p, \hat w) / T}}",
    departs="as coded: where the student is sure of the opposite, beta falls and the teacher counts more",
    grid=(
        {"temperature": 1.0},
        {"temperature": 5.0},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="soft", loss="adaptconf", loss_params=p).run(task)
