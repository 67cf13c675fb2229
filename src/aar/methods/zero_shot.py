"""Unsupervised elicitation by prompting: ask the student itself, make its answers consistent, finetune on them.

Pairs: margin m(x) = log P("B") - log P("A") after a comparison prompt, in both orders, label 1[m(x) > m(swap x)].
Claims: m = log P("True") - log P("False"); of a question's claims the answer with the highest margin is true and the
others are false. What counts as the same answer is read from the text, never from a label (`parts/consistency.py`).
The teacher is not used.
"""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.consistency import consistent
from aar.methods.parts.margins import all_margins, margins
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="elicitation",
    inputs=("score", "fit"),
    human=True,
    cost="minutes",
    source="automated-w2s reference study 2026, `ue_zeroshot`; Wen et al. 2025, arXiv:2506.10139 (zero-shot baseline)",
    summary="the student's own zero-shot answers, made consistent, as labels",
    defaults={"both_orders": True},
    formula=r"y = \mathbb{1}[m(x) > m(\mathrm{swap}\,x)]",
    departs="the release's consistency keys come from gold labels on some testbeds; ours come from the text. A claim "
    "that is alone on its question is judged against the median margin",
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    ask = (
        (lambda rows: all_margins(task.student, rows, 1).mean(1))
        if p["both_orders"]
        else (lambda rows: margins(task.student, rows))
    )
    (model,) = task.student.fit([Fit(task.train, consistent(task.train, ask(task.train)), seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
