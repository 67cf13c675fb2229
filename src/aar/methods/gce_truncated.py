"""GCE that drops the rows whose label the student gives less than k, so that they pull not at all."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "fit"),
    source="Zhang and Sabuncu 2018, arXiv:1805.07836, sec. 3.3 (truncated L_q)",
    summary="generalised cross-entropy without the rows the student rejects",
    defaults={"q": 0.7, "k": 0.5},
    formula=r"L = \mathbb{1}[p_y \ge k]\,(1 - p_y^q) / q",
    departs="the paper alternates pruning and training, and prunes only after a start; here the rule holds in every step, and k = .5 drops a row as soon as the student disagrees",
    grid=(
        {"k": 0.4},
        {"k": 0.3},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="hard", loss="gce", loss_params={"q": p["q"], "truncate": p["k"]}).run(task)
