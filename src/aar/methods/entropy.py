"""Cross-entropy to the weak label plus a penalty on the student's entropy, with its gradient."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "fit"),
    source="EleutherAI/w2s loss.py, `entropy` (harden=False)",
    summary="cross-entropy plus a true entropy penalty on the student",
    defaults={"a_max": 0.5, "warmup": 0.1},
    formula=r"L = (1-\alpha)\, \mathrm{CE}(p, w) + \alpha\, H_2(p)",
    departs="their target is detached, which leaves no gradient in the second term; here it is not (see entropy_detached)",
    grid=(
        {"a_max": 0.25},
        {"warmup": 0.5},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="soft", loss="entropy", loss_params=p).run(task)
