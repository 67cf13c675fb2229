"""Born-again, strong-to-strong: students trained on the answers of the student before, made out of fold.

A student's answers on rows that it was trained on repeat the labels that it memorised; out of fold they do not
(`out_of_fold=False` shows the difference). Eleuther reports no consistent gain; many undirected researchers of the
reference study ended here.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.crossfit import out_of_fold
from aar.methods.parts.harden import hardened
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="imitation",
    inputs=("weak", "fit"),
    source="Furlanello et al. 2018, arXiv:1805.04770, eq. 1; EleutherAI/w2s `s2s_iters`",
    summary="retrain from scratch on the previous student's out-of-fold answers",
    defaults={"iterations": 2, "out_of_fold": True, "hard": True},
    formula=r"w_{k+1}(x_i) = p_k^{(-i)}(x_i)",
    grid=({"iterations": 1}, {"hard": False}),
    departs="Eleuther's s2s predicts the rows it was trained on; here folds by question",
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    target = (task.train.weak > 0.5).astype(np.float32)
    share = float(target.mean())
    for step in range(p["iterations"]):
        if p["out_of_fold"]:
            target = out_of_fold(task, target)
        else:
            target = task.student.fit([Fit(task.train, target, seed=task.seed + step)])[0].predict(task.train)
        target = hardened(target, share, task.kind) if p["hard"] else target
    (model,) = task.student.fit([Fit(task.train, target, seed=task.seed + p["iterations"])])
    return Predictions(task.test.ids, model.predict(task.test))
