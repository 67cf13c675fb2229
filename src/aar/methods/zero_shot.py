"""Unsupervised elicitation by prompting: ask the student itself, make its answers consistent, finetune on them.

Pairs: margin m(x) = log P("B") - log P("A") after a comparison prompt, consistent label 1[m(x) > m(swap x)]. Claims:
m = log P("True") - log P("False"); the claim with the highest margin of its question is true and the others false,
where a question has several. The teacher is not used. Reference study 2026, `ue_zeroshot`.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.types import Claim, Fit, Pair, Predictions, Rows, Task, Text

CARD = Card(
    family="elicitation", inputs=("score", "fit"), human=True, cost="minutes",
    source="automated-w2s reference study 2026, `ue_zeroshot`",
    summary="the student's own zero-shot answers, made consistent, as labels",
    formula=r"y = \mathbb{1}[m(x) > m(\mathrm{swap}\,x)]",
)

ANSWERS = {"pair": (" A", " B"), "binary": (" False", " True")}


def prompt(text: Text) -> str:
    if isinstance(text, Pair):
        return (f"Request: {text.prompt}\nResponse A: {text.first}\nResponse B: {text.second}\n"
                "The response that answers the request better is Response")
    assert isinstance(text, Claim)
    return f"Question: {text.question}\nProposed answer: {text.choice}\nIs the proposed answer right? True or False:"


def margins(task: Task, rows: Rows, prefix: str = "") -> np.ndarray:
    """[n] log-odds of label 1 by the student's own next-token probabilities."""
    answers = ANSWERS[rows.kind]
    scores = task.student.score([prefix + prompt(t) for t in rows.texts], [answers] * len(rows))
    return scores[:, 1] - scores[:, 0]


def consistent(task: Task, rows: Rows, prefix: str = "") -> np.ndarray:
    """[n] 0/1 labels that do not depend on the order of a pair, one true claim per question otherwise."""
    m = margins(task, rows, prefix)
    if rows.kind == "pair":
        return (m > margins(task, rows.swap(), prefix)).astype(np.float32)
    groups, where = np.unique(rows.group, return_inverse=True)
    best = np.full(len(groups), -np.inf)
    np.maximum.at(best, where, m)
    alone = np.bincount(where)[where] == 1
    return np.where(alone, m > np.median(m), m == best[where]).astype(np.float32)


def run(task: Task) -> Predictions:
    CARD.settle(task.params)
    (model,) = task.student.fit([Fit(task.train, consistent(task, task.train), seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
