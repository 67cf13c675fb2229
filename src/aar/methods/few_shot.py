"""Few-shot elicitation: as zero-shot, with randomly labelled balanced demonstrations in front.

The demonstrations' labels are random (no gold, no teacher): they teach the format, not the answer. Margins are averaged
over `draws` sets of demonstrations and both orders of a pair before they are made consistent.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.consistency import consistent
from aar.methods.parts.margins import ANSWERS, all_margins, prompt
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="elicitation",
    inputs=("score", "fit"),
    human=True,
    cost="minutes",
    source="automated-w2s reference study 2026, `ue_fewshot`",
    summary="zero-shot labels with randomly labelled demonstrations in front, averaged over draws",
    defaults={"shots": 4, "draws": 2},
    formula=r"y = \mathbb{1}[\bar m(x \mid D) > \bar m(\mathrm{swap}\,x \mid D)],\ D \text{ randomly labelled}",
    departs="margins, not hard answers, are averaged over the draws",
)


def demonstrations(task: Task, shots: int, rng: np.random.Generator) -> str:
    """A balanced block of `shots` solved prompts whose answers are drawn at random."""
    rows = rng.choice(len(task.train), size=min(shots, len(task.train)), replace=False)
    labels, answers = rng.permutation(np.arange(len(rows)) % 2), ANSWERS[task.kind]
    return "".join(f"{prompt(task.train.texts[i])}{answers[y]}\n\n" for i, y in zip(rows, labels, strict=True))


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    rng = np.random.default_rng(task.seed)
    blocks = [demonstrations(task, p["shots"], rng) for _ in range(p["draws"])]
    margin = np.mean([all_margins(task.student, task.train, 1, prefix=b).mean(1) for b in blocks], axis=0)
    (model,) = task.student.fit([Fit(task.train, consistent(task.train, margin), seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
