"""Vanilla weak-to-strong: train the student on the teacher's hard labels.

L = CE(sigma(z), 1[w > .5]). Burns et al. 2023 (arXiv:2312.09390), section 3.
"""

from __future__ import annotations

from aar.methods.card import Card
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="imitation",
    inputs=("weak", "fit"),
    human=True,
    source="Burns et al. 2023, arXiv:2312.09390, sec. 3",
    summary="train on the teacher's hard labels",
    formula=r"L = \mathrm{CE}(\sigma(z), \mathbb{1}[w > 1/2])",
)


def run(task: Task) -> Predictions:
    task, _ = CARD.open(task)
    hard = (task.train.weak > 0.5).astype("float32")
    (model,) = task.student.fit([Fit(task.train, hard, seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
