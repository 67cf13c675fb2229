"""Power sampling: the student's reasoning drawn from p^alpha by Metropolis-Hastings, its answers the labels.

Sharpens the student's own distribution over whole reasonings without any training; see `parts/sampling.py`.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.consistency import consistent, disputed
from aar.methods.parts.labels import logit
from aar.methods.parts.reasoning import question, some, verdicts, vote
from aar.methods.parts.sampling import power_samples
from aar.types import Fit, Predictions, Rows, Task

CARD = Card(
    family="generative",
    inputs=("score", "generate", "fit"),
    cost="minutes",
    source="Karan & Du 2025, arXiv:2510.14901, eq. 2-5 and algorithm 1",
    summary="labels from reasoning sampled from the student's sharpened distribution p^alpha",
    defaults={"alpha": 4.0, "steps": 4, "words": 24, "samples": 2, "rows": 32},
    formula=r"r \sim p(r \mid x)^{\alpha} / Z,\quad A = \min\Big(1, \tfrac{p(r')^\alpha\, q(r \mid r')}{p(r)^\alpha\, q(r' \mid r)}\Big)",
    departs="cuts between words; proposals at temperature 1, where the power of the ratio is alpha - 1",
)


def reasoned(task: Task, rows: Rows, p: dict[str, float], seed: int) -> np.ndarray:
    """[len(rows), samples] log-odds of label 1 after power-sampled reasoning."""
    asked = [question(t, rows.kind) for t in rows.texts for _ in range(int(p["samples"]))]
    thoughts, accepted = power_samples(task.student, asked, p["alpha"], int(p["steps"]), int(p["words"]), seed)
    task.log(accepted=accepted)
    return verdicts(task.student, rows.kind, asked, thoughts).reshape(len(rows), -1)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    rows = some(task.train, p["rows"], np.random.default_rng(task.seed))
    odds = reasoned(task, rows, p, task.seed)
    if rows.kind == "pair":
        target = vote(np.hstack([odds, -reasoned(task, rows.swap(), p, task.seed + 1)]))
    else:
        target = np.where(disputed(rows), consistent(rows, logit(vote(odds)) + 1e-3 * odds.mean(1)), vote(odds))
    (model,) = task.student.fit([Fit(rows, target.astype(np.float32), seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
