"""Spend a budget of trusted labels where they tell most, and train on them beside the weak ones.

The trusted split is a pool; only `budget` of its labels are read. by "centres": greedy k-center in the student's features,
beginning with the row nearest to the mean; by "dispute": the rows where a student of the weak labels and the teacher differ
most. A problem must grant a trusted split, and then has a board of its own.
"""

from __future__ import annotations

import numpy as np

from aar.errors import InputError
from aar.methods.card import Card
from aar.methods.parts import neighbours as near
from aar.methods.parts.labels import hard
from aar.types import Fit, Predictions, Rows, Task

CARD = Card(
    family="selection",
    inputs=("weak", "labelled", "features", "fit"),
    source="Sener and Savarese 2018, arXiv:1708.00489, alg. 1 (k-center greedy)",
    summary="a few trusted labels, chosen by k-center or by dispute, beside the weak ones",
    defaults={"budget": 16, "by": "centres", "weight": 10.0},
    formula=r"s \leftarrow s \cup \{\arg\max_i \min_{j \in s} |h_i - h_j|\}",
    departs="the first centre is the row nearest to the mean; the paper starts from labelled rows",
    grid=({"by": "dispute"}, {"weight": 30.0}),
)


def centres(h: np.ndarray, budget: int) -> np.ndarray:
    """Positions [budget] of greedy k-center in h [n, d]."""
    chosen = [int(np.linalg.norm(h - h.mean(0), axis=1).argmin())]
    gap = np.linalg.norm(h - h[chosen[0]], axis=1)
    while len(chosen) < min(budget, len(h)):
        chosen.append(int(gap.argmax()))
        gap = np.minimum(gap, np.linalg.norm(h - h[chosen[-1]], axis=1))
    return np.array(chosen)


def disputed(task: Task, pool: Rows, budget: int) -> np.ndarray:
    """Positions [budget] of the rows with the largest |student - teacher|; the teacher is 1/2 where it was not asked."""
    (model,) = task.student.fit([Fit(task.train, hard(task), seed=task.seed)])
    said = np.full(len(pool), 0.5) if pool.weak is None else pool.weak
    return np.argsort(-np.abs(model.predict(pool) - said), kind="stable")[:budget]


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    pool = task.labelled
    assert pool is not None
    if p["by"] not in ("centres", "dispute"):
        raise InputError(f"by={p['by']!r} is not known", code="bad_parameter", hint="centres or dispute")
    chosen = (
        centres(near.features(task, pool), p["budget"]) if p["by"] == "centres" else disputed(task, pool, p["budget"])
    )
    bought = pool.take(chosen)
    rows = Rows(task.kind, task.train.ids + bought.ids, task.train.texts + bought.texts)
    target = np.concatenate([hard(task), np.asarray(bought.truth, np.float32)])
    weight = np.concatenate([np.ones(len(task.train)), np.full(len(bought), p["weight"])])
    (model,) = task.student.fit([Fit(rows, target, weight, seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
