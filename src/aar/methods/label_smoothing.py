"""Hard labels smoothed towards one half, or with a negative epsilon pushed beyond themselves.

The loss, not the label step, so that negative smoothing keeps its targets outside [0, 1].
"""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="imitation",
    inputs=("weak", "fit"),
    source="Wei et al. 2021, arXiv:2106.04149 (generalized label smoothing)",
    summary="hard labels smoothed by epsilon; epsilon < 0 sharpens beyond them",
    defaults={"epsilon": 0.2},
    formula=r"L = \mathrm{CE}(\sigma(z), (1 - \epsilon) \mathbb{1}[w > 1/2] + \epsilon / 2)",
    grid=(
        {"epsilon": 0.5},
        {"epsilon": -0.3},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="hard", loss="smoothed", loss_params=p).run(task)
