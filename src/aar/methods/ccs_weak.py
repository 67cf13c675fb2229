"""CCS and the teacher together: labels where both agree, next to nothing where they do not.

Where the CCS label and the weak label agree, the row counts max(c_ccs, c_w); where they disagree it counts
eps min(c_ccs, c_w) with the label of the surer one; c = |2p - 1|.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.contrast import search, signed
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="combination",
    inputs=("features", "weak", "pairs", "fit"),
    source="automated-w2s reference study 2026 (CCS-weak combination); Burns et al. 2022, arXiv:2212.03827",
    summary="rows on which CCS and the teacher agree count by the surer one, the others by eps of the less sure one",
    defaults={"eps": 0.1, "restarts": 10, "steps": 300},
    formula=r"\omega = \begin{cases}\max(c_{ccs}, c_w) & \hat y_{ccs} = \hat w\\ \epsilon \min(c_{ccs}, c_w)"
    r" & \text{else}\end{cases},\quad c = |2p - 1|",
    grid=({"eps": 0.0}, {"eps": 0.5}),
    departs="the source does not say which label a disputed row keeps: here the surer view's",
)


def combined(task: Task, p: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """(target [n] 0/1, weight [n]) of the training rows."""
    probe = search(task.student, task.train, task.seed, restarts=int(p["restarts"]), steps=int(p["steps"]))
    own, weak = probe.probability(task.student, task.train), task.train.weak
    own = own if signed(own, weak) else 1 - own
    mine, other = np.abs(2 * own - 1), np.abs(2 * weak - 1)
    agree = (own > 0.5) == (weak > 0.5)
    weight = np.where(agree, np.maximum(mine, other), p["eps"] * np.minimum(mine, other))
    return (np.where(mine > other, own, weak) > 0.5).astype(np.float32), weight


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    target, weight = combined(task, p)
    (model,) = task.student.fit([Fit(task.train, target, weight, seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
