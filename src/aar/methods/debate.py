"""Debate: two copies of the student argue for the two sides, weak judges read the transcript and label.

Each side speaks `turns` times, seeing what was said. The judges are heads of the weak model, trained on the trusted rows
with their own transcripts (an ensemble of seeds, averaged); they label the training rows with transcripts, and the student
is finetuned on those labels without any. The weak model must be able to read new texts.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.reasoning import case, heard, some
from aar.types import Fit, Predictions, Rows, Task

CARD = Card(
    family="generative",
    inputs=("generate", "fit", "labelled", "weak_model"),
    cost="minutes",
    source="Lang et al. 2025, arXiv:2501.13124, sec. 3 and algorithm 1",
    summary="students argue for both sides, an ensemble of weak judges reads the debate and labels",
    defaults={"turns": 1, "max_tokens": 48, "temperature": 0.7, "judges": 4, "rows": 64},
    formula=r"q_i = \tfrac1k \sum_k f^{weak}_k\big(x_i, \tau_i\big),\quad \tau_i = \text{transcript}(p^{strong}_{A}, p^{strong}_{B})",
    departs="judges are heads on the weak model's features; published: finetuned weak models",
)
SIDES = {
    "pair": ("Response A is better", "Response B is better"),
    "binary": ("the answer is wrong", "the answer is right"),
}


def transcripts(task: Task, rows: Rows, p: dict[str, float]) -> Rows:
    """The rows with the debate about them, in turns, each side seeing what was said before; of a pair each response
    carries what its own side said."""
    said: list[list[tuple[int, str]]] = [[] for _ in range(len(rows))]
    for turn in range(int(p["turns"])):
        for side, stand in enumerate(SIDES[rows.kind]):
            asked = [
                f"{case(t)}\n\nA debate.{''.join(f'{chr(10)}{line}' for _, line in s)}\nThe side that says that {stand} argues:"
                for t, s in zip(rows.texts, said, strict=True)
            ]
            seed = task.seed + 2 * turn + side
            spoken = task.student.generate(asked, 1, p["temperature"], int(p["max_tokens"]), seed)
            for lines, (one,) in zip(said, spoken, strict=True):
                lines.append((side, f"{stand}: {one.strip()}"))
    sides = [(0,), (1,)] if rows.kind == "pair" else [(0, 1)]
    return heard(rows, [["\n".join(line for side, line in s if side in own) for own in sides] for s in said])


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    rows = some(task.train, p["rows"], np.random.default_rng(task.seed))
    trusted, argued = (transcripts(task, r, p) for r in (task.labelled, rows))
    judges = task.weak_model.fit([Fit(trusted, task.labelled.truth, seed=task.seed + k) for k in range(p["judges"])])
    q = np.mean([j.predict(argued) for j in judges], axis=0)
    (model,) = task.student.fit([Fit(rows, q, seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
