"""Decides whether a worked solution, as text, is right. It knows the template's closed formula, not its steps.

Right means: every equation holds, every number used was given, is a constant of the template or was computed
before, and the last sentence states the true answer with the unit and subject that were asked for.
It does not judge whether a sentence's words suit its equation.
"""

from __future__ import annotations

import re

from aar.errors import LabError
from aar.testbeds.generators.math_bank.solution import Question, compute

_EQUATION = re.compile(r"(\d+)(\+|-|\*|//|/)(\d+)=(\d+)")


def true_statement(question: Question) -> str:
    """The sentence a right solution ends with, computed from the closed formula."""
    value = question.template.truth(**question.values)
    if value != int(value):
        raise LabError(f"the truth of {question.text!r} is {value}, which is not whole", code="bad_template")
    return question.template.final.replace("[=]", str(int(value))).format(**question.cast, **question.values)


def faults(question: Question, solution: str) -> list[str]:
    """What is wrong with this solution: any of "arithmetic", "unknown number", "answer"; empty when it is right."""
    found = []
    constants = re.findall(r"\d+", " ".join(f"{step.left} {step.right}" for step in question.right.steps))
    known = {int(number) for number in re.findall(r"\d+", question.text) + constants}
    for left, op, right, result in _EQUATION.findall(solution):
        if compute(int(left), op, int(right)) != int(result):
            found.append("arithmetic")
        if not {int(left), int(right)} <= known:
            found.append("unknown number")
        known.add(int(result))
    if not solution.endswith(" " + true_statement(question)):
        found.append("answer")
    return found
