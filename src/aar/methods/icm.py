"""Internal coherence maximisation, in context: search for the labelling whose every label the student predicts best from
the other labelled rows in its prompt, without contradictions.

A pool of rows is labelled: a few random balanced seeds, then one row at a time (rows whose question is already labelled
are drawn 100 times as often); its label is the student's given the pool, contradictions are repaired, and the change is
accepted with probability min(1, exp((U' - U) / T)). All other rows are then labelled with the pool in front, and a student
is finetuned on them. What contradicts what is read from the texts, not, as on several testbeds of the release, from gold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.coherence import Couples, repaired, temperature, utility
from aar.methods.parts.consistency import consistent, ties
from aar.methods.parts.margins import ANSWERS, log_odds, prompt
from aar.types import Fit, Model, Predictions, Rows, Task

CARD = Card(
    family="elicitation",
    inputs=("score", "fit"),
    cost="minutes",
    source="Wen et al. 2025, arXiv:2506.10139, eq. 1-3 and algorithms 1-2",
    summary="search for the labels that the student finds most coherent with each other, in context; no teacher",
    defaults={"pool": 24, "seeds": 8, "steps": 60, "shots": 8, "alpha": 30.0},
    formula=r"U = \alpha\,\overline{s_i (2 y_i - 1)} - I,\quad s_i = \log\tfrac{P(\text{True} \mid D \setminus i)}{P(\text{False} \mid D \setminus i)}",
    departs="published: all rows in one search of 3000 steps, the whole pool (256) in context. A pool of 24 and 8 shots "
    "fit a small model on a CPU. A pair is asked about in both orders instead of standing twice in the pool",
)


@dataclass
class Context:
    """Asks the student about rows with labelled rows in front. shots: demonstrations that fit its context."""

    student: Model
    rows: Rows
    shots: int
    order: np.ndarray  # a fixed random order of the rows: which of them stand in front, and how
    turned: Rows | None = None
    asked: dict[tuple[int, tuple[int, ...], bytes], float] = field(default_factory=dict)

    def log_odds(self, which: np.ndarray, label: np.ndarray) -> np.ndarray:
        """[len(which)]: of label 1 given the other labelled rows; pairs in both orders."""
        fronts = [tuple(int(j) for j in self.order if label[j] >= 0 and j != i)[: self.shots] for i in which]
        keys = [(int(i), front, label[list(front)].tobytes()) for i, front in zip(which, fronts, strict=True)]
        new = list({k: None for k in keys if k not in self.asked})
        if new:
            blocks = ["".join(self._demonstration(j, label) for j in k[1]) for k in new]
            odds = self._ask(self.rows, blocks, [k[0] for k in new])
            if self.rows.kind == "pair":
                odds = (odds - self._ask(self.rows.swap(), blocks, [k[0] for k in new])) / 2
            self.asked |= dict(zip(new, odds.tolist(), strict=True))
        return np.array([self.asked[k] for k in keys])

    def _ask(self, rows: Rows, blocks: list[str], which: list[int]) -> np.ndarray:
        return log_odds(
            self.student, rows.kind, [b + prompt(rows.texts[i]) for b, i in zip(blocks, which, strict=True)]
        )

    def _demonstration(self, row: int, label: np.ndarray) -> str:
        """A solved row; a pair stands in the order in which its answer alternates, so that no position wins."""
        shown, y = self.rows.texts[row], int(label[row])
        if self.rows.kind == "pair" and int(self.order[row]) % 2:
            shown, y = self.rows.take([row]).swap().texts[0], 1 - y
        return f"{prompt(shown)}{ANSWERS[self.rows.kind][y]}\n\n"


def search(
    context: Context, tied: Couples, rng: np.random.Generator, seeds: int, steps: int, alpha: float
) -> np.ndarray:
    """[n] labels of the pool, -1 where the search never came by."""
    rows, n = context.rows, len(context.rows)

    def value(label: np.ndarray) -> float:
        odds, there = np.zeros(n), np.flatnonzero(label >= 0)
        odds[there] = context.log_odds(there, label)
        return utility(rows, tied, label, odds, alpha)

    label, partners = np.full(n, -1), [[j for c in tied for j in c[:2] if i in c[:2] and j != i] for i in range(n)]
    first = rng.permutation(n)[:seeds]
    label[first] = rng.permutation(np.arange(len(first)) % 2)
    label, flips = repaired(rows, tied, label, value, rng), 0
    now = value(label)
    for _ in range(steps):
        often = np.array([100.0 if any(label[j] >= 0 for j in partners[i]) and label[i] < 0 else 1.0 for i in range(n)])
        i = int(rng.choice(n, p=often / often.sum()))
        said = int(context.log_odds(np.array([i]), label)[0] > 0)
        if said == label[i]:
            continue
        changed = label.copy()
        changed[i] = said
        changed = repaired(rows, tied, changed, value, rng)
        after = value(changed)
        if rng.random() < math.exp(min(0.0, (after - now) / temperature(flips))):
            label, now, flips = changed, after, flips + 1
    return label


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    rng, train = np.random.default_rng(task.seed), task.train
    groups = np.unique(train.group)
    drawn = {g: i for i, g in enumerate(rng.permutation(groups))}  # whole questions go into the pool
    rank = np.argsort([drawn[g] for g in train.group], kind="stable")[: p["pool"]]
    pool = train.take(np.sort(rank))
    context = Context(task.student, pool, p["shots"], rng.permutation(len(pool)))
    found = search(context, ties(pool), rng, p["seeds"], p["steps"], p["alpha"])
    everyone = Context(task.student, train, p["shots"], np.r_[np.sort(rank), np.setdiff1d(np.arange(len(train)), rank)])
    given = np.full(len(train), -1)
    given[np.sort(rank)] = found
    odds = everyone.log_odds(np.arange(len(train)), given)
    target = consistent(train, odds)
    target[given >= 0] = given[given >= 0]
    (model,) = task.student.fit([Fit(train, target, seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
