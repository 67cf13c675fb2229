"""Internal coherence maximisation by finetuning: labels are judged by students trained on the other folds instead of by
the student's prompt. Runs on students that cannot read a prompt, and labels all rows at once.

Each restart starts at random balanced labels. A step gives a random share of the rows the label that out-of-fold students
predict for them, repairs contradictions, refits, and accepts by min(1, exp((U' - U) / T)). The labelling of the highest U
wins. On odd heads y and 1 - y are equally coherent, so the teacher gives the sign (its surest half), and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.coherence import Couples, temperature, utility
from aar.methods.parts.consistency import allowed, broken, ties
from aar.methods.parts.contrast import signed
from aar.methods.parts.crossfit import folds_of
from aar.methods.parts.harden import hardened
from aar.methods.parts.labels import logit
from aar.types import Fit, Model, Predictions, Task

CARD = Card(
    family="elicitation",
    inputs=("weak", "fit"),
    source="Wen et al. 2025, arXiv:2506.10139, eq. 1-3 and appendix algorithms 3-4 (finetuning-based)",
    summary="labels that students trained on the rest predict best; the teacher only gives the sign",
    defaults={"restarts": 3, "steps": 10, "folds": 4, "share": 0.3, "alpha": 30.0, "again": 20},
    formula=r"U = \alpha\,\overline{s_i (2 y_i - 1)} - I,\quad s_i = \mathrm{logit}\, p^{(-i)}_{y}(x_i)",
    departs="several starts, because from random labels one search may settle on any predictable split of the rows; after "
    "the first step students go on from those of the step before, offered or accepted, for `again` epochs",
)


def out_of_fold(
    task: Task, labels: list[np.ndarray], fold: np.ndarray, before: Sequence[Model] | None, again: int
) -> tuple[list[np.ndarray], list[Model]]:
    """Log-odds [n] of every row under each labelling, by students that did not see its fold, and these students; all in
    one call. `before`: students of earlier labellings, to go on from for `again` epochs."""
    parts = [np.flatnonzero(fold != k) for k in np.unique(fold)]
    jobs = [Fit(task.train.take(part), y[part].astype(np.float32), seed=task.seed) for y in labels for part in parts]
    if before is not None:
        jobs = [replace(job, init=model, epochs=again) for job, model in zip(jobs, before, strict=True)]
    models, out = task.student.fit(jobs), []
    each = iter(models)
    for _ in labels:
        p = np.empty(len(fold))
        for k in np.unique(fold):
            p[fold == k] = next(each).predict(task.train.take(fold == k))
        out.append(logit(p))
    return out, models


def proposal(
    task: Task, tied: Couples, y: np.ndarray, s: np.ndarray, share: float, rng: np.random.Generator
) -> np.ndarray:
    """A random share of the rows relabelled as predicted, half of the claims true, contradictions repaired."""
    picked = rng.random(len(y)) < share
    label = np.where(picked, hardened(1 / (1 + np.exp(-s)), 0.5, task.kind), y).astype(int)
    for couple in broken(task.train, tied, label):  # each couple gets the allowed joint label that its log-odds favour
        i, j = couple[:2]
        label[i], label[j] = max(
            allowed(task.train, couple), key=lambda o: s[i] * (2 * o[0] - 1) + s[j] * (2 * o[1] - 1)
        )
    return label


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    rng, n = np.random.default_rng(task.seed), len(task.train)
    tied, fold = ties(task.train), folds_of(task, p["folds"])
    labels = [rng.permutation(np.arange(n) % 2) for _ in range(p["restarts"])]
    (odds, models), flips = out_of_fold(task, labels, fold, None, 0), [0] * p["restarts"]
    value = [utility(task.train, tied, y, s, p["alpha"]) for y, s in zip(labels, odds, strict=True)]
    for _ in range(p["steps"]):
        offered = [proposal(task, tied, y, s, p["share"], rng) for y, s in zip(labels, odds, strict=True)]
        after, models = out_of_fold(task, offered, fold, models, p["again"])
        for r, (y, s) in enumerate(zip(offered, after, strict=True)):
            u = utility(task.train, tied, y, s, p["alpha"])
            if rng.random() < math.exp(min(0.0, (u - value[r]) / temperature(flips[r]))):
                labels[r], odds[r], value[r], flips[r] = y, s, u, flips[r] + 1
    y = labels[int(np.argmax(value))]
    if not signed(y, task.train.weak) and len(broken(task.train, tied, 1 - y)) <= len(broken(task.train, tied, y)):
        y = 1 - y  # only where the opposite is as consistent: "at most one is true" has no mirror image
    (model,) = task.student.fit([Fit(task.train, y.astype(np.float32), seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
