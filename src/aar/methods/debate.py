"""Debate: two copies of the student argue for the two sides, weak judges read the transcript and label.

Each side speaks `turns` times, seeing what was said. The judges are heads of the weak model, trained on the trusted rows
with their own transcripts (an ensemble of seeds, averaged); they label the training rows with transcripts, and the student
is finetuned on those labels without any. The weak model must be able to read new texts.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.reasoning import some
from aar.types import Claim, Fit, Pair, Predictions, Rows, Task, Text

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


def transcripts(task: Task, rows: Rows, p: dict[str, float]) -> list[str]:
    """What the two sides said about each row, in turns; each sees what was said before."""
    said = [""] * len(rows)
    for turn in range(int(p["turns"])):
        for side, stand in enumerate(SIDES[rows.kind]):
            asked = [
                f"{_case(t)}\n\nA debate.{s}\nThe side that says that {stand} argues:"
                for t, s in zip(rows.texts, said, strict=True)
            ]
            spoken = task.student.generate(
                asked, 1, p["temperature"], int(p["max_tokens"]), task.seed + 2 * turn + side
            )
            said = [f"{s}\n{stand}: {one[0].strip()}" for s, one in zip(said, spoken, strict=True)]
    return said


def _case(text: Text) -> str:
    if isinstance(text, Pair):
        return f"Request: {text.prompt}\nResponse A: {text.first}\nResponse B: {text.second}"
    return f"Question: {text.question}\nProposed answer: {text.choice}"


def with_transcripts(rows: Rows, said: list[str]) -> Rows:
    """The rows with the debate appended; of a pair each response carries what its own side said."""
    texts: list[Text] = []
    for text, debate in zip(rows.texts, said, strict=True):
        if isinstance(text, Claim):
            texts.append(Claim(text.question, f"{text.choice}\n{debate}"))
            continue
        lines = debate.strip().split("\n")
        own = ["\n".join(line for line in lines if line.startswith(stand)) for stand in SIDES["pair"]]
        texts.append(Pair(text.prompt, f"{text.first}\n{own[0]}", f"{text.second}\n{own[1]}"))
    return replace(rows, texts=tuple(texts))


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    assert task.labelled is not None
    assert task.weak_model is not None
    trusted = task.labelled.take(np.argsort(np.array(task.labelled.ids), kind="stable"))
    rows = some(task.train, p["rows"], np.random.default_rng(task.seed))
    heard = [with_transcripts(r, transcripts(task, r, p)) for r in (trusted, rows)]
    judges = task.weak_model.fit([Fit(heard[0], trusted.truth, seed=task.seed + k) for k in range(p["judges"])])
    q = np.mean([j.predict(heard[1]) for j in judges], axis=0)
    (model,) = task.student.fit([Fit(rows, q, seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
