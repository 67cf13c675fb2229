"""Cross-entropy with the roles exchanged: linear in the student's probability."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "fit"),
    source="Yao et al. 2025, arXiv:2502.11107; Wang et al. 2019, arXiv:1908.06112",
    summary="reverse cross-entropy to the weak label",
    defaults={"clip": 1e-4},
    formula=r"L = -(p \ln w + (1-p) \ln (1-w))",
    grid=(
        {"clip": 0.1},
        {"clip": 0.2},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="soft", loss="reverse_ce", loss_params=p).run(task)
