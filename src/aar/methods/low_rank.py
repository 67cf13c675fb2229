"""A student that can see few directions: the head reads the first principal components of the features only.

Simplicity bias for a frozen student: what a low-rank student cannot represent of the teacher's errors it cannot copy.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.directions import components
from aar.methods.parts.labels import sigmoid
from aar.methods.parts.logistic import logistic
from aar.types import Predictions, Task

CARD = Card(
    family="imitation",
    inputs=("weak", "features"),
    source="Jolliffe 1982, doi:10.2307/2348005 (principal component regression); automated-w2s reference study 2026 (rank-r students)",
    summary="logistic head on the first principal components of the student's features",
    defaults={"rank": 32, "l2": 1e-2},
    formula=r"z = \beta^\top U_r^\top h",
    grid=({"rank": 8}, {"l2": 0.1}),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    raw = task.student.features(task.train).astype(np.float64)
    middle = raw.mean(0) if task.kind == "binary" else 0.0
    axes = components(raw, task.kind, p["rank"]).T
    unit = np.sqrt(np.mean(((raw - middle) @ axes) ** 2)) + 1e-12

    def design(h: np.ndarray) -> np.ndarray:
        z = (h - middle) @ axes / unit
        return z if task.kind == "pair" else np.hstack([z, np.ones((len(h), 1))])

    b = logistic(design(raw), task.train.weak > 0.5, l2=p["l2"])
    return Predictions(task.test.ids, sigmoid(design(task.student.features(task.test)) @ b))
