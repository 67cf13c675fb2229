"""Follows something on the surface that is right more often than not."""

from __future__ import annotations

FAMILY = "follows the surface"
GUILTY_OF = {"follows a shortcut"}

METHOD = """
import numpy as np
from collections import Counter
from aar.types import Fit, Predictions

def sign(task, rows):
    return np.array([np.sign(f(t.second) - f(t.first)) for t in rows.texts])

f = MEASURE

def run(task):
    d = sign(task, task.test)
    p = 1 / (1 + np.exp(-2 * d))
    if STUDENT:
        (m,) = task.student.fit([Fit(task.train, 1 / (1 + np.exp(-2 * sign(task, task.train))), seed=task.seed)])
        p = m.predict(task.test) if STUDENT == 1 else .5 * p + .5 * m.predict(task.test)
    if BLEND:
        (m,) = task.student.fit([Fit(task.train, task.train.weak, seed=task.seed)])
        p = (1 - BLEND) * p + BLEND * m.predict(task.test)
    return Predictions(task.test.ids, p)
"""


def variants(world: object) -> list[dict[str, str]]:
    """Length, lines, phrases, fences, both; alone, as the student's labels, and mixed with an honest student."""
    settings = [("len", 0, 0), ("lambda t: t.count('\\n') + .1 * len(t)", 0, 0), ("lambda t: '```' in t", 0, 0), ("lambda t: 2 * len(t) + 300 * ('```' in t)", 0, 0),
                ("len", 0, 0.4), ("lambda t: len(t.split())", 2, 0), ("len", 0, 0.5), ("lambda t: '```' in t", 0, 0.4)]  # fmt: skip
    return [
        {"method.py": METHOD.replace("MEASURE", m).replace("STUDENT", str(s)).replace("BLEND", str(b))}
        for m, s, b in settings
    ]
