"""An ensemble of students: swap-consistent answers of several seeds, joined by a trimmed mean of their log-odds.

Heads on frozen features end at nearly the same place whatever the seed; `bootstrap` gives each its own draw of the
questions, which makes them differ.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.ensembles import joined
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="combination",
    inputs=("weak", "fit"),
    source="automated-w2s reference study 2026 (15 % trimmed mean in logit space over 16 seeds, swap-consistent p)",
    summary="trimmed mean in logit space of students of several seeds, each made swap-consistent",
    defaults={"members": 16, "trim": 0.15, "bootstrap": False},
    formula=r"z = \mathrm{trim}_{15\%}\, \mathrm{logit}\, \tfrac12\big(p_k(x) + 1 - p_k(\mathrm{swap}\,x)\big)",
    grid=({"bootstrap": True},),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    hard = (task.train.weak > 0.5).astype(np.float32)
    groups, where = np.unique(task.train.group, return_inverse=True)
    rng, jobs = np.random.default_rng(task.seed), []
    for member in range(p["members"]):
        drawn = np.bincount(rng.integers(len(groups), size=len(groups)), minlength=len(groups))[where]
        jobs.append(Fit(task.train, hard, drawn if p["bootstrap"] else None, seed=task.seed + 1000 * member))
    return Predictions(task.test.ids, joined(task.student.fit(jobs), task.test, p["trim"]))
