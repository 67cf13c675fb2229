"""Which rows cannot be labelled apart, and labels made consistent with that.

Two claims on one question with the same answer are true together; with different answers at most one is true. A pair
and its mirror image have opposite labels. What counts as the same answer is read from the row's own text (`key`): some
public releases derive it from gold labels, which hands the truth to an "unsupervised" method. No label is read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from aar.types import Pair, Rows, Text

BOXED = re.compile(r"\\boxed\{([^{}]+)\}")
NAMED = re.compile(r"(?:answer\s*(?:is|:|=)|####)\s*\$?\s*(-?[\w./,]+)", re.IGNORECASE)


def key(text: Text) -> str:
    """The answer that a row stands for: of a claim its boxed or named final answer, else its whole text, spaces and
    case aside; of a pair the two responses in their order."""
    if isinstance(text, Pair):
        return f"{_plain(text.first)}\0{_plain(text.second)}"
    found = BOXED.findall(text.choice) or NAMED.findall(text.choice)
    return _plain(found[-1].rstrip(".,").replace(",", "")) if found else _plain(text.choice)


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def mirrored(text: Text) -> str:
    """The key of the swapped pair."""
    return "\0".join(key(text).split("\0")[::-1])


def consistent(rows: Rows, margin: np.ndarray) -> np.ndarray:
    """f32 [n] labels from log-odds [n]: of a question's claims the answer with the highest margin is true, the others
    are false. Where all claims on a question agree (and for pairs, whose margin already joins both orders): the sign,
    measured from the median for claims, because a model's taste for "True" is no knowledge."""
    if rows.kind == "pair":
        return (margin > 0).astype(np.float32)
    keys, label = np.array([key(t) for t in rows.texts]), margin > np.median(margin)
    for members in _questions(rows):
        if len(set(keys[members])) > 1:
            label[members] = keys[members] == keys[members[np.argmax(margin[members])]]
    return label.astype(np.float32)


def disputed(rows: Rows) -> np.ndarray:
    """bool [n]: claims on a question that has several answers."""
    keys, out = np.array([key(t) for t in rows.texts]), np.zeros(len(rows), bool)
    for members in _questions(rows):
        out[members] = rows.kind == "binary" and len(set(keys[members])) > 1
    return out


def _questions(rows: Rows) -> Iterator[np.ndarray]:
    """Positions of the rows of each question that has several."""
    groups, where, count = np.unique(rows.group, return_inverse=True, return_counts=True)
    for g in range(len(groups)):
        if count[g] > 1:
            yield np.flatnonzero(where == g)


def ties(rows: Rows) -> list[tuple[int, int, bool]]:
    """(i, j, same): couples of rows whose labels bind each other. same: they must be equal; else of two claims at most
    one is true, and of a pair and its mirror image exactly one is 1."""
    found = []
    for members in _questions(rows):
        for a, i in enumerate(members):
            for j in members[a + 1 :]:
                mine, other = key(rows.texts[i]), key(rows.texts[j])
                if mine == other or rows.kind == "binary" or mirrored(rows.texts[i]) == other:
                    found.append((int(i), int(j), mine == other))
    return found


def broken(rows: Rows, tied: list[tuple[int, int, bool]], label: np.ndarray) -> list[tuple[int, int, bool]]:
    """The couples that the labels [n] (0, 1, or -1 for none yet) contradict."""
    return [
        c for c in tied if label[c[0]] >= 0 and label[c[1]] >= 0 and (label[c[0]], label[c[1]]) not in allowed(rows, c)
    ]


def allowed(rows: Rows, couple: tuple[int, int, bool]) -> list[tuple[int, int]]:
    """The joint labels that a couple may have."""
    if couple[2]:
        return [(0, 0), (1, 1)]
    return [(1, 0), (0, 1)] + ([(0, 0)] if rows.kind == "binary" else [])
