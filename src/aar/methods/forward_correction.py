"""Make the student's probability as noisy as the labels before comparing them, with noise rates from trusted rows.

e0 = P(wh = 1 | y = 0) and e1 = P(wh = 0 | y = 1), counted on the trusted rows with one pseudo-count a cell. The rows must be
ones that the teacher was not trained on, otherwise it looks better than it is.
"""

from __future__ import annotations

import numpy as np

from aar.errors import Unsupported
from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "labelled", "fit"),
    source="Patrini et al. 2017, arXiv:1609.03683, theorem 2",
    summary="cross-entropy of noised predictions, noise rates from trusted rows",
    defaults={"symmetric": False},
    formula=r"L = \mathrm{CE}(T^\top p, \mathbb{1}[w > 1/2]), \quad T_{yk} = P(\tilde y = k \mid y)",
    departs="the paper estimates T from anchor points; here it is counted on trusted rows",
    grid=({"symmetric": True},),
)


def rates(task: Task, symmetric: bool) -> dict[str, float]:
    """{e0, e1} from the trusted rows; symmetric: both the same. Together under .98, since beyond nothing is said."""
    rows = task.labelled
    if rows is None or rows.weak is None or rows.truth is None:
        raise Unsupported("not run on this student or problem: trusted rows need weak labels and truth")
    said, truth = rows.weak > 0.5, rows.truth > 0.5
    e0, e1 = ((np.sum((said != truth) & side) + 1) / (side.sum() + 2) for side in (~truth, truth))
    if symmetric:
        e0 = e1 = (np.sum(said != truth) + 1) / (len(truth) + 2)
    shrink = min(1.0, 0.98 / (e0 + e1))
    return {"e0": float(e0 * shrink), "e1": float(e1 * shrink)}


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="hard", loss="forward_corrected", loss_params=rates(task, p["symmetric"])).run(task)
