"""Soft-label weak-to-strong: train the student on the teacher's probabilities.

L = CE(sigma(z), w). EleutherAI's `kl` is CE(p, w) - H2(w): the same gradient with its minimum at 0.
"""

from __future__ import annotations

from aar.methods.card import Card
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="imitation",
    inputs=("weak", "fit"),
    human=True,
    source="Burns et al. 2023, arXiv:2312.09390, sec. 3 (soft labels)",
    summary="train on the teacher's probabilities",
    formula=r"L = \mathrm{CE}(\sigma(z), w)",
)


def run(task: Task) -> Predictions:
    task, _ = CARD.open(task)
    (model,) = task.student.fit([Fit(task.train, task.train.weak, seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
