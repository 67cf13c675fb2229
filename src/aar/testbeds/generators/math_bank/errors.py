"""The kinds of error: each takes a right draft and returns a wrong one, or None where it does not apply.

An error here may cancel out or leave the number as it was; the caller has the checker throw such drafts away.
None of them knows the true answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from aar.testbeds.generators.math_bank.solution import Draft, Question, Step
from aar.testbeds.generators.math_bank.templates import TEMPLATES

Break = Callable[[Question, np.random.Generator], "Draft | None"]
ERRORS: dict[str, Break] = {}
"""Error kind -> the edit that makes it."""


def _kind(name: str) -> Callable[[Break], Break]:
    def add(edit: Break) -> Break:
        ERRORS[name] = edit
        return edit

    return add


def _pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]


def _near(value: int, rng: np.random.Generator) -> int:
    """A number of about the same size: off by one or two, off by ten, or with its last two digits swapped."""
    swapped = value - value % 100 + value % 10 * 10 + value // 10 % 10 if value >= 10 else value + 1
    near = [value + 1, value - 1, value + 2, value - 2, value + 10, value - 10, swapped]
    return near[int(rng.integers(len(near)))]


def _some(steps: Sequence[Step], rng: np.random.Generator) -> Step:
    return steps[int(rng.integers(len(steps)))]


def _with(draft: Draft, old: Step, new: Step) -> Draft:
    return replace(draft, steps=tuple(new if step == old else step for step in draft.steps))


def _redirect(step: Step, gone: str, to: str) -> Step:
    """The step with the result `gone` replaced by another operand."""
    return replace(step, left=to if step.left == gone else step.left, right=to if step.right == gone else step.right)


@_kind("arithmetic slip")
def slip(question: Question, rng: np.random.Generator) -> Draft | None:
    """One result is a little off, and all that follows builds on it."""
    draft = question.right
    results = draft.results() or {}
    name = _pick(rng, list(results))
    return replace(draft, slips={name: _near(results[name], rng)})


@_kind("wrong operation")
def operation(question: Question, rng: np.random.Generator) -> Draft | None:
    """One step multiplies, divides, adds or subtracts where it should do another of these."""
    step = _some(question.right.steps, rng)
    others = [op for op in "+-*/" if op != step.op and {op, step.op} != {"+", "-"}]
    return _with(question.right, step, replace(step, op=_pick(rng, others)))


@_kind("sign error")
def sign(question: Question, rng: np.random.Generator) -> Draft | None:
    """Plus where minus is due, or the reverse."""
    steps = [step for step in question.right.steps if step.op in "+-"]
    if not steps:
        return None
    step = _some(steps, rng)
    return _with(question.right, step, replace(step, op="-" if step.op == "+" else "+"))


@_kind("wrong quantity")
def quantity(question: Question, rng: np.random.Generator) -> Draft | None:
    """One step uses another number of the question."""
    step = _some(question.right.steps, rng)
    side = _pick(rng, ["left", "right"])
    others = [name for name in question.values if name not in (step.left, step.right)]
    if not others:
        return None
    return _with(question.right, step, replace(step, **{side: _pick(rng, others)}))


@_kind("wrong factor")
def factor(question: Question, rng: np.random.Generator) -> Draft | None:
    """A constant that everyone should know (60 minutes, 100 cm, half) is another one."""
    steps = [step for step in question.right.steps if step.left.isdigit() or step.right.isdigit()]
    if not steps:
        return None
    step = _some(steps, rng)
    side = "left" if step.left.isdigit() else "right"
    others = [n for n in ("2", "3", "4", "5", "10", "12", "24", "60", "100", "360") if n != getattr(step, side)]
    return _with(question.right, step, replace(step, **{side: _pick(rng, others)}))


@_kind("misread number")
def misread(question: Question, rng: np.random.Generator) -> Draft | None:
    """A number of the question is copied wrongly, and the solution is consistent with the copy."""
    name = _pick(rng, list(question.values))
    value = question.values[name]
    other = _near(value, rng) if rng.random() < 0.5 else int(rng.integers(max(2, value // 3), value * 3))
    return replace(question.right, values={**question.values, name: other})


@_kind("dropped step")
def dropped(question: Question, rng: np.random.Generator) -> Draft | None:
    """A step is missing; what needed its result takes one of its numbers instead."""
    gone = _some(question.right.steps, rng)
    to = _pick(rng, [gone.left, gone.right])
    return replace(question.right, steps=tuple(_redirect(s, gone.name, to) for s in question.right.steps if s != gone))


@_kind("repeated step")
def repeated(question: Question, rng: np.random.Generator) -> Draft | None:
    """A step is done twice, the second time on its own result."""
    step = _some(question.right.steps, rng)
    again = replace(step, name="again", left=step.name)
    steps = []
    for old in question.right.steps:
        steps += [old, again] if old == step else [_redirect(old, step.name, "again")]
    return replace(question.right, steps=tuple(steps))


@_kind("inconsistent answer")
def inconsistent(question: Question, rng: np.random.Generator) -> Draft | None:
    """The last sentence states another number than the last step found."""
    results = list((question.right.results() or {}).values())
    others = [*results[:-1], *question.values.values(), _near(results[-1], rng), _near(results[-1], rng)]
    return replace(question.right, answer=others[int(rng.integers(len(others)))])


@_kind("wrong unit")
def unit(question: Question, rng: np.random.Generator) -> Draft | None:
    """The answer comes in another unit, or counts another thing, than was asked for."""
    own, *others = [word.replace("_", " ") for word in question.template.units.split()] or [""]
    if not others:
        return None
    return replace(question.right, final=question.right.final.replace(f"[=] {own}", f"[=] {_pick(rng, others)}"))


@_kind("another question")
def another(question: Question, rng: np.random.Generator) -> Draft | None:
    """The last sentence answers for the other person or the other thing."""
    swap = {"A": "B", "B": "A", "x": "y", "y": "x"}
    final = re.sub(r"\{([ABxy])\}", lambda m: "{" + swap[m[1]] + "}", question.right.final)
    return replace(question.right, final=final)


@_kind("wrong magnitude")
def magnitude(question: Question, rng: np.random.Generator) -> Draft | None:
    """A result is ten times too large or too small."""
    results = question.right.results() or {}
    name = _pick(rng, list(results))
    return replace(question.right, slips={name: results[name] * 10 if rng.random() < 0.5 else results[name] // 10})


@_kind("miscopied result")
def miscopied(question: Question, rng: np.random.Generator) -> Draft | None:
    """A step takes over an earlier result wrongly."""
    results = question.right.results() or {}
    steps = [step for step in question.right.steps if step.left in results]
    if not steps:
        return None
    step = _some(steps, rng)
    return _with(question.right, step, replace(step, left=str(max(1, _near(results[step.left], rng)))))


@_kind("non sequitur")
def non_sequitur(question: Question, rng: np.random.Generator) -> Draft | None:
    """A sentence that belongs to another problem stands in place of one of this solution's, with its operation."""
    step = _some(question.right.steps, rng)
    other = TEMPLATES[int(rng.integers(len(TEMPLATES)))]
    stranger = _some(other.steps, rng)
    if other is question.template or re.search(r"\{[a-z]\}", stranger.words):
        return None
    return _with(question.right, step, replace(step, words=stranger.words, op=stranger.op))
