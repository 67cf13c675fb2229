"""Let the student think before it answers: a prompt that asks for reasoning, and its answer read after the reasoning.

The answer is read from next-token probabilities after the text, not searched for in it: small models rarely state one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aar.methods.parts.margins import log_odds
from aar.types import Claim, Kind, Model, Pair, Rows, Text

ASK: dict[Kind, str] = {
    "pair": "Request: {0}\nResponse A: {1}\nResponse B: {2}\nCompare the two responses step by step.\nReasoning:",
    "binary": "Question: {0}\nProposed answer: {1}\nCheck the proposed answer step by step.\nReasoning:",
}
ANSWER: dict[Kind, str] = {
    "pair": "\nSo the response that answers the request better is Response",
    "binary": "\nSo, is the proposed answer right? True or False:",
}


def question(text: Text, kind: Kind) -> str:
    return ASK[kind].format(*text)


def verdicts(student: Model, kind: Kind, questions: Sequence[str], reasoning: Sequence[str]) -> np.ndarray:
    """f64 [n]: log-odds of label 1 after each reasoning."""
    return log_odds(student, kind, [q + r + ANSWER[kind] for q, r in zip(questions, reasoning, strict=True)])


def some(rows: Rows, count: int, rng: np.random.Generator) -> Rows:
    """`count` random rows, whole questions, in their order: reasoning about all of them takes hours on a CPU."""
    place = {g: i for i, g in enumerate(rng.permutation(np.unique(rows.group)))}
    return rows.take(np.sort(np.argsort([place[g] for g in rows.group], kind="stable")[:count]))


def vote(odds: np.ndarray) -> np.ndarray:
    """[n] of log-odds [n, k]: share of the k samples that say 1, smoothed by one vote for each side."""
    return ((odds > 0).sum(1) + 1) / (odds.shape[1] + 2)


def case(text: Text) -> str:
    """What a debate or a critique is about."""
    if isinstance(text, Pair):
        return f"Request: {text.prompt}\nResponse A: {text.first}\nResponse B: {text.second}"
    return f"Question: {text.question}\nProposed answer: {text.choice}"


def heard(rows: Rows, said: Sequence[Sequence[str]]) -> Rows:
    """The rows with what was said about each of their answers (one of a claim, two of a pair) written under it."""
    texts: list[Text] = []
    for text, each in zip(rows.texts, said, strict=True):
        if isinstance(text, Pair):
            texts.append(Pair(text.prompt, f"{text.first}\n{each[0]}", f"{text.second}\n{each[1]}"))
        else:
            texts.append(Claim(text.question, f"{text.choice}\n{each[0]}"))
    return replace(rows, texts=tuple(texts))
