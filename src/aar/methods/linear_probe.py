"""Linear-probe weak-to-strong: ridge logistic regression of the weak labels on the student's features, solved exactly.

What EleutherAI's logistic probe does. Unlike the heads of `fit` it is trained to its optimum, so the ridge alone stands
between the probe and the teacher's noise.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.labels import sigmoid
from aar.methods.parts.logistic import logistic
from aar.models.heads import spread
from aar.types import Predictions, Task

CARD = Card(
    family="imitation",
    inputs=("features", "weak"),
    source="EleutherAI/w2s probe.py (logistic probe); Belrose et al. 2024, blog.eleuther.ai/weak-to-strong",
    summary="ridge logistic regression of soft weak labels on the student's features",
    defaults={"l2": 1e-3},
    formula=r"\min_\beta \overline{\mathrm{CE}(\sigma(\beta h), w)} + \tfrac{\lambda}{2} |\beta|^2",
    grid=({"l2": 0.03}, {"l2": 1.0}),
    departs="their code has l2 1e-3, their blog 1e-2; they run L-BFGS, we Newton; features are divided by their spread",
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    raw = task.student.features(task.train)
    shift, scale = spread(raw, task.kind)
    constant = np.full((1, int(task.kind == "binary")), 1.0)  # a probe on pairs is odd: no intercept

    def design(h: np.ndarray) -> np.ndarray:
        return np.hstack([(h - shift) / scale, np.repeat(constant, len(h), axis=0)])

    l2 = np.r_[np.full(raw.shape[1], p["l2"]), np.zeros(constant.shape[1])]
    b = logistic(design(raw), task.train.weak, l2=l2)
    return Predictions(task.test.ids, sigmoid(design(task.student.features(task.test)) @ b))
