"""Self-consistency: the student reasons several times and votes; its votes are the labels that it is finetuned on.

n samples of reasoning at a temperature, the answer read after each, the majority as a soft label. Pairs are asked about in
both orders, half of the samples each. The teacher is not used.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.consistency import consistent, disputed
from aar.methods.parts.labels import logit
from aar.methods.parts.reasoning import question, some, verdicts, vote
from aar.types import Fit, Predictions, Rows, Task

CARD = Card(
    family="generative",
    inputs=("score", "generate", "fit"),
    cost="minutes",
    source="Wang et al. 2022, arXiv:2203.11171, sec. 2",
    summary="majority vote of the student's sampled reasoning as labels",
    defaults={"samples": 8, "temperature": 0.7, "max_tokens": 48, "rows": 64},
    formula=r"q = \tfrac1n \sum_{s=1}^{n} \mathbb{1}[\,a_s = 1\,],\quad r_s \sim p(\cdot \mid x),\ a_s = \arg\max_a p(a \mid x, r_s)",
    departs="the answer is read from next-token probabilities after the reasoning; both orders of a pair",
)


def sampled(task: Task, rows: Rows, n: int, temperature: float, max_tokens: int, seed: int) -> np.ndarray:
    """[len(rows), n] log-odds of label 1 after n samples of reasoning each."""
    asked = [question(t, rows.kind) for t in rows.texts]
    thoughts = task.student.generate(asked, n, temperature, max_tokens, seed)
    flat = [(q, r) for q, some_ in zip(asked, thoughts, strict=True) for r in some_]
    return verdicts(task.student, rows.kind, *zip(*flat, strict=True)).reshape(len(rows), n)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    rows = some(task.train, p["rows"], np.random.default_rng(task.seed))
    how = (p["temperature"], p["max_tokens"])
    if rows.kind == "pair":
        half = (p["samples"] + 1) // 2
        odds = np.hstack(
            [sampled(task, rows, half, *how, task.seed), -sampled(task, rows.swap(), half, *how, task.seed + 1)]
        )
        target = vote(odds)
    else:
        odds = sampled(task, rows, p["samples"], *how, task.seed)
        target = np.where(disputed(rows), consistent(rows, logit(vote(odds)) + 1e-3 * odds.mean(1)), vote(odds))
    (model,) = task.student.fit([Fit(rows, target.astype(np.float32), seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
