"""KL with the roles exchanged: mode-seeking, the student may ignore a teacher that is unsure."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "fit"),
    source="Yao et al. 2025, arXiv:2502.11107",
    summary="reverse Kullback-Leibler divergence to the weak label",
    defaults={"clip": 1e-4},
    formula=r"L = p \ln \frac{p}{w} + (1-p) \ln \frac{1-p}{1-w}",
    grid=(
        {"clip": 0.1},
        {"clip": 0.2},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="soft", loss="reverse_kl", loss_params=p).run(task)
