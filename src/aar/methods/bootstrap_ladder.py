"""Bootstrapping through intermediate models: teacher -> M1 -> M2 -> ... -> student, each trained on the answers of the
one before, out of fold.

A small step in capability loses less than a large one: M1 smooths the teacher's errors that it cannot represent, before
a student that could represent them sees the labels. Helped chess puzzles, less so NLP.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.crossfit import out_of_fold
from aar.methods.parts.harden import hardened
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="imitation",
    inputs=("weak", "fit", "ladder"),
    source="Burns et al. 2023, arXiv:2312.09390, sec. 4.3.1",
    summary="train through models of growing size, each on the answers of the one before",
    defaults={"hard": True},
    formula=r"w_{m+1} = M_m(w_m),\quad m = 1, \dots, |\mathrm{ladder}|",
    grid=({"hard": False},),
    departs="each rung answers out of fold instead of on a third split",
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    target = np.asarray(task.train.weak)
    share = float((target > 0.5).mean())
    target = (target > 0.5).astype(np.float32) if p["hard"] else target
    for rung in task.ladder:
        target = out_of_fold(replace(task, student=rung), target)
        target = hardened(target, share, task.kind) if p["hard"] else target
    (model,) = task.student.fit([Fit(task.train, target, seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
