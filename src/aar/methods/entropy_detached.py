"""The entropy auxiliary as it is coded: without a gradient in its second half it scales the weak term by 1 - a.

Kept as a control: under Adam with a ridge it is soft-label training with a stronger ridge.
"""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "fit"),
    source="EleutherAI/w2s loss.py, `entropy` (harden=False), as coded",
    summary="the published entropy loss, whose entropy term has no gradient",
    defaults={"a_max": 0.5, "warmup": 0.1},
    formula=r"L = \mathrm{CE}(p, (1-\alpha) w + \alpha\, \mathrm{sg}(p)), \quad \nabla_z L = (1-\alpha)(p - w)",
    grid=(
        {"a_max": 0.25},
        {"a_max": 0.75},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="soft", loss="entropy_detached", loss_params=p).run(task)
