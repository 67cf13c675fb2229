"""Few-shot elicitation: as zero-shot, with randomly labelled balanced demonstrations in front.

The demonstrations' labels are random (no gold, no teacher): they teach the format, not the answer. Labels are averaged
over `draws` demonstrations sets before they are made consistent. Reference study 2026, `ue_fewshot`.
"""

from __future__ import annotations

import numpy as np

from aar.methods import zero_shot
from aar.methods.card import Card
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="elicitation", inputs=("score", "fit"), human=True, cost="minutes",
    source="automated-w2s reference study 2026, `ue_fewshot`",
    summary="zero-shot labels with randomly labelled demonstrations in front, averaged over draws",
    defaults={"shots": 4, "draws": 2},
)


def demonstrations(task: Task, shots: int, rng: np.random.Generator) -> str:
    """A balanced block of `shots` solved prompts whose answers are drawn at random."""
    rows = rng.choice(len(task.train), size=shots, replace=False)
    labels = rng.permutation(np.arange(shots) % 2)
    answers = zero_shot.ANSWERS[task.kind]
    return "".join(f"{zero_shot.prompt(task.train.texts[i])}{answers[y]}\n\n" for i, y in zip(rows, labels, strict=True))


def run(task: Task) -> Predictions:
    p = CARD.settle(task.params)
    rng = np.random.default_rng(task.seed)
    votes = [zero_shot.consistent(task, task.train, demonstrations(task, p["shots"], rng)) for _ in range(p["draws"])]
    (model,) = task.student.fit([Fit(task.train, np.mean(votes, axis=0), seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
