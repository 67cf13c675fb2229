"""Posterior product of experts: add the teacher's log-odds and the student's own, weights learnt by EM.

logit q = a logit w + b m + c. The simplest way to combine two views; whatever is more elaborate should beat it.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.experts import weights
from aar.methods.parts.labels import logit, sigmoid
from aar.methods.parts.margins import all_margins
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="combination",
    inputs=("weak", "score", "fit"),
    cost="minutes",
    source="Hinton 2002, doi:10.1162/089976602760128018, eq. 1; automated-w2s reference study 2026 (posterior product)",
    summary="add the log-odds of teacher and student, with weights found by EM",
    defaults={"templates": 1},
    formula=r"\mathrm{logit}\,q = a\,\mathrm{logit}\,w + b\,m + c",
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    m = all_margins(task.student, task.train, p["templates"]).mean(1)
    z = np.stack([logit(task.train.weak.astype(np.float64)), m], axis=1)
    if task.kind == "binary":
        z[:, 1] -= np.median(m)
    a, c = weights(z / (z.std(0) + 1e-9), symmetric=task.kind == "pair")
    q = sigmoid(c + z / (z.std(0) + 1e-9) @ a)
    (model,) = task.student.fit([Fit(task.train, q, seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
