"""Train on hard labels, then decide at the score that calls the prior's share of the training rows positive.

The threshold comes from training rows and a prior that is stated or the weak labels' own; no test label is asked for,
and no test row changes the answer to another.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.labels import hard, logit, sigmoid
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="imitation",
    inputs=("weak", "fit"),
    source="folklore of class-prior matching; see Saerens et al. 2002 for the decision rule",
    summary="hard labels, and a decision threshold that gives the prior's share of positives",
    defaults={"prior": 0.5},
    formula=r"\hat y = \mathbb{1}[z > Q_{1-\pi}(z_{\text{train}})]",
    grid=({"prior": None},),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    (model,) = task.student.fit([Fit(task.train, hard(task), seed=task.seed)])
    prior = float(task.train.weak.mean()) if p["prior"] is None else p["prior"]
    cut = np.quantile(logit(model.predict(task.train)), 1 - prior)
    return Predictions(task.test.ids, sigmoid(logit(model.predict(task.test)) - cut))
