"""What the student itself thinks of a row: log-odds of label 1 from its next-token probabilities, in several wordings.

A pair is asked about in both orders and the swapped answer is negated, so that a taste for a position cancels out.
Knows prompts and the student; no labels, no teacher.
"""

from __future__ import annotations

import numpy as np

from aar.types import Kind, Model, Pair, Rows, Text

ANSWERS: dict[Kind, tuple[str, str]] = {"pair": (" A", " B"), "binary": (" False", " True")}  # label 0, label 1
TEMPLATES: dict[Kind, tuple[str, ...]] = {
    "pair": (
        "Request: {0}\nResponse A: {1}\nResponse B: {2}\nThe response that answers the request better is Response",
        "Two answers to the same request.\n\nRequest: {0}\n\nA. {1}\n\nB. {2}\n\nThe correct and helpful one is answer",
        "A reviewer compares two responses.\nTask: {0}\n[A] {1}\n[B] {2}\nReviewer: I prefer",
    ),
    "binary": (
        "Question: {0}\nProposed answer: {1}\nIs the proposed answer right? True or False:",
        "{0}\n\nClaim: {1}\n\nThe claim is",
        "A reviewer checks an answer.\nQuestion: {0}\nAnswer: {1}\nReviewer: this answer is",
    ),
}


def prompt(text: Text, template: int = 0) -> str:
    """The row as a question whose next word is one of `ANSWERS`."""
    return TEMPLATES["pair" if isinstance(text, Pair) else "binary"][template].format(*text)


def log_odds(student: Model, kind: Kind, prompts: list[str]) -> np.ndarray:
    """f64 [n]: log P(answer of label 1) - log P(answer of label 0)."""
    scores = student.score(prompts, [ANSWERS[kind]] * len(prompts)).astype(np.float64)
    return scores[:, 1] - scores[:, 0]


def margins(student: Model, rows: Rows, template: int = 0, prefix: str = "") -> np.ndarray:
    """[n] log-odds of label 1 in one wording and the order that the rows have. prefix: demonstrations in front."""
    return log_odds(student, rows.kind, [prefix + prompt(t, template) for t in rows.texts])


def all_margins(student: Model, rows: Rows, templates: int = 3, prefix: str = "") -> np.ndarray:
    """[n, 2 templates] of pairs, both orders, the swapped one negated; [n, templates] of claims."""
    orders = [(1.0, rows), *([(-1.0, rows.swap())] if rows.kind == "pair" else [])]
    return np.stack(
        [sign * margins(student, turned, t, prefix) for t in range(templates) for sign, turned in orders], axis=1
    )
