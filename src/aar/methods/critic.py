"""Critic: the student learns to find faults that a weak judge believes, the judge labels with its critiques at hand.

The student criticises every answer of the trusted rows; judges, heads of the weak model, learn from those rows and critiques
which answer is right. GRPO then rewards the student on unlabeled rows: a critique is worth 1 where the judges rule against
the answer that it criticises, else 0. The judges read the trained critic and label; the student is finetuned on that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.reasoning import case, heard, some
from aar.types import Fit, Model, Predictions, Rows, Task

CARD = Card(
    family="generative",
    inputs=("generate", "fit", "tune", "labelled", "weak_model"),
    human=True,
    cost="minutes",
    source="automated-w2s reference study 2026, `critic`; Shao et al. 2024, arXiv:2402.03300, eq. 3 (GRPO)",
    summary="the student is rewarded for critiques that weak judges follow, the judges label with its critiques",
    defaults={
        "rows": 64,
        "judges": 4,
        "steps": 50,
        "group": 8,
        "batch": 32,
        "kl": 0.02,
        "lr": 1e-5,
        "temperature": 1.0,
        "max_tokens": 48,
    },
    formula=r"r(c) = \mathbb{1}[\text{judge}(x, c) \text{ rules against what } c \text{ criticises}],\quad "
    r"L = -\overline{\hat A_{c,t}\, \tfrac{\pi(c_t)}{\pi_{old}(c_t)}} + \beta\, \mathrm{KL}(\pi \| \pi_{ref})",
    departs="judges are heads on the weak model's features, whose verdicts always parse; the student is not first finetuned "
    "on a weak critic's texts, because the weak model here does not write. Published: all rows, 3,000 samples",
)
SIDES = {"pair": ("Response A", "Response B"), "binary": ("the proposed answer",)}
Critiques = list[list[str]]  # [rows][answers]


def asked(rows: Rows) -> list[str]:
    """A prompt for each answer of each row, row by row."""
    return [
        f"{case(t)}\n\nA critic says what is wrong with {s}.\nCritic:" for t in rows.texts for s in SIDES[rows.kind]
    ]


def criticised(writer: Model, rows: Rows, p: dict[str, float], seed: int) -> Critiques:
    texts = [one.strip() for (one,) in writer.generate(asked(rows), 1, p["temperature"], int(p["max_tokens"]), seed)]
    width = len(SIDES[rows.kind])
    return [texts[i : i + width] for i in range(0, len(texts), width)]


def verdicts(judges: Sequence[Model], rows: Rows, critiques: Critiques) -> np.ndarray:
    """[n]: the judges' mean P(label = 1)."""
    return np.mean([j.predict(heard(rows, critiques)) for j in judges], axis=0)


def worth(
    judges: Sequence[Model], rows: Rows, first: Critiques, which: Sequence[int], texts: Sequence[str]
) -> np.ndarray:
    """[len(texts)] in {0, 1/2, 1}: does the judge rule against the criticised answer? which: places in `asked(rows)`. The
    other answer of a pair keeps its first critique."""
    width = len(SIDES[rows.kind])
    row, side = np.divmod(np.asarray(which), width)
    told = [list(first[i]) for i in row]
    for each, s, text in zip(told, side, texts, strict=True):
        each[s] = text.strip()
    q = verdicts(judges, rows.take(row), told)
    against = q if width == 2 else 1 - q
    against = np.where(side == 1, 1 - against, against)  # label 1 is for the second response
    return (np.sign(against - 0.5) + 1) / 2


def run(task: Task) -> Predictions:
    from aar.models.tuned.grpo import Grpo

    task, p = CARD.open(task)
    trusted, rows = task.labelled, some(task.train, p["rows"], np.random.default_rng(task.seed))
    known = heard(trusted, criticised(task.student, trusted, p, task.seed))
    judges = task.weak_model.fit([Fit(known, trusted.truth, seed=task.seed + k) for k in range(p["judges"])])
    first = criticised(task.student, rows, p, task.seed + 1)
    rules = Grpo(**{k: p[k] for k in ("steps", "group", "batch", "kl", "lr", "temperature", "max_tokens")})
    critic = task.student.reinforce(asked(rows), lambda i, c: worth(judges, rows, first, i, c), rules, task.seed)  # type: ignore[attr-defined]
    task.log(**{f"reward_{at}": critic.rewards[i] for at, i in (("first", 0), ("last", -1)) if critic.rewards})
    q = verdicts(judges, rows, criticised(critic, rows, p, task.seed + 2))
    (model,) = task.student.fit([Fit(rows, (q > 0.5).astype(np.float32), seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
