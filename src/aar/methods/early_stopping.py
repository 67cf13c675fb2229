"""Stop when the student ranks held-out weak labels best: later it only learns the teacher's mistakes.

A share of the questions is held out; after every few epochs the student's AUROC against their *weak* labels is taken
and the best checkpoint answers. It goes through `fit`, checkpoint by checkpoint, so it runs on any student.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.crossfit import folds_of
from aar.methods.parts.labels import hard
from aar.types import Fit, Model, Predictions, Task

CARD = Card(
    family="imitation",
    inputs=("weak", "fit"),
    source="EleutherAI/w2s, sft.py (`load_best_model_at_end` on weak validation AUROC; runs named sft-estop)",
    summary="keep the checkpoint with the best AUROC against held-out weak labels",
    defaults={"checkpoints": 12, "epochs": 10, "held_out": 5, "soft": True},
    formula=r"t^* = \arg\max_t \mathrm{AUROC}(z_t(x_{\text{val}}), \mathbb{1}[w_{\text{val}} > 1/2])",
    departs="they look every 25 steps of one schedule; here the learning rate starts anew at each checkpoint",
    grid=({"epochs": 3}, {"soft": False}),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    from sklearn.metrics import roc_auc_score

    held = folds_of(task, p["held_out"]) == 0
    target = task.train.weak if p["soft"] else hard(task)
    rows, watched = task.train.take(~held), task.train.take(held)
    answer = watched.weak > 0.5
    model: Model | None = None
    best, chosen = -1.0, None
    for step in range(p["checkpoints"]):
        job = Fit(rows, target[~held], seed=task.seed + step, init=model, epochs=p["epochs"])
        (model,) = task.student.fit([job])
        score = roc_auc_score(answer, model.predict(watched)) if len(np.unique(answer)) > 1 else 0.0
        task.log(checkpoint=step, auroc=float(score))
        if score > best:
            best, chosen = score, model
    assert chosen is not None
    return Predictions(task.test.ids, chosen.predict(task.test))
