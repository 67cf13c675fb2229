"""Templates, questions drawn from them, and worked solutions as data, so that an error is an edit of a solution.

A template's solution is written as sentences in which `[a * b]` is a step (quantities a and b; s1, s2 the results
of earlier steps; plain numbers are constants such as 60 minutes) and `[=]` the answer. All numbers are whole.
This module computes and renders whatever steps it is given; what is right is the checker's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

LARGEST = 20_000
_STEP = re.compile(r"\[(\w+) (\+|-|\*|//|/) (\w+)\]")
_SENTENCES = re.compile(r"(?<=\.) ")


@dataclass(frozen=True)
class Step:
    """One sentence; `[]` in words is replaced by "left op right=result"."""

    name: str
    words: str
    left: str
    op: str
    right: str


@dataclass(frozen=True)
class Template:
    """family: the kind of problem; units: the answer's own unit first, then others that the question mentions."""

    family: str
    question: str
    solution: str
    ranges: str
    truth: Callable[..., float]
    units: str = ""

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        sentences = _SENTENCES.split(self.solution)[:-1]
        found = [(sentence, _STEP.search(sentence)) for sentence in sentences]
        return tuple(
            Step(f"s{i}", _STEP.sub("[]", sentence), *match.groups())
            for i, (sentence, match) in enumerate(found, start=1)
            if match
        )

    @property
    def final(self) -> str:
        return _SENTENCES.split(self.solution)[-1]

    def draw(self, rng: np.random.Generator) -> dict[str, int]:
        """One value for every quantity, uniform in its range."""
        bounds = re.findall(r"(\w)=(\d+)\.\.(\d+)", self.ranges)
        return {name: int(rng.integers(int(low), int(high) + 1)) for name, low, high in bounds}


@dataclass(frozen=True)
class Draft:
    """A worked solution before it is put in words. slips: results written down instead of the computed ones;
    answer: a final value other than the last result; cast: the words for A, B, x, y; remark: a sentence put before
    the last one."""

    steps: tuple[Step, ...]
    values: Mapping[str, int]
    final: str
    cast: Mapping[str, str]
    slips: Mapping[str, int] = field(default_factory=dict)
    answer: int | None = None
    remark: str = ""

    def results(self) -> dict[str, int] | None:
        """Every step's result by name, or None where a result is not a whole positive number of fair size."""
        known = dict(self.values)
        for step in self.steps:
            value = compute(look_up(step.left, known), step.op, look_up(step.right, known))
            if value is None:
                return None
            known[step.name] = self.slips.get(step.name, value)
        return {step.name: known[step.name] for step in self.steps}

    def render(self) -> str | None:
        results = self.results()
        if not results:
            return None
        known = {**self.values, **results}
        sentences = [
            step.words.replace(
                "[]", f"{look_up(step.left, known)}{step.op}{look_up(step.right, known)}={results[step.name]}"
            )
            for step in self.steps
        ]
        answer = self.answer if self.answer is not None else results[self.steps[-1].name]
        return " ".join(
            [*sentences, *([self.remark] if self.remark else []), self.final.replace("[=]", str(answer))]
        ).format(**self.cast, **self.values)


def look_up(token: str, known: Mapping[str, int]) -> int:
    return int(token) if token.isdigit() else known[token]


def compute(left: int, op: str, right: int) -> int | None:
    """left op right; None unless it is a whole number in 1..LARGEST ("//" drops the remainder)."""
    if op == "/":
        value = left // right if right and left % right == 0 else 0
    elif op == "//":
        value = left // right if right else 0
    else:
        value = {"+": left + right, "-": left - right, "*": left * right}[op]
    return value if 1 <= value <= LARGEST else None


@dataclass(frozen=True)
class Question:
    """A template with its words and numbers. text: what is asked; right: the worked solution as data."""

    template: Template
    cast: Mapping[str, str]
    values: Mapping[str, int]

    @property
    def text(self) -> str:
        return self.template.question.format(**self.cast, **self.values)

    @property
    def right(self) -> Draft:
        return Draft(self.template.steps, self.values, self.template.final, self.cast)
