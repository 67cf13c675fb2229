"""Learn from the teacher only where the student is still unsure."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "fit"),
    source="EleutherAI/w2s loss.py `confidence_window_loss`",
    summary="cross-entropy on rows where the student is within .5 +- r",
    defaults={"radius": 0.15},
    formula=r"L = \frac{1}{B} \sum_{i: \max(p_i, 1-p_i) < 1/2 + r} \mathrm{CE}(p_i, w_i)",
    grid=(
        {"radius": 0.3},
        {"radius": "midweak"},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="soft", loss="window", loss_params=p).run(task)
