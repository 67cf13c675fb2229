"""Maths pairs: a right worked solution against a wrong one, for short word and symbolic problems.

A question is a template with a world's words and random numbers. Its right solution is data (steps), a wrong one is
an edit of that data put in words, and a checker that knows only a closed formula reads both texts: a right one must
have no fault, a wrong one must end in a false answer. Errors that cancel out never become items.

Cell is the template: test templates are not in training, which worked without the softer split by entities or numbers.
Out-of-distribution items use held-out templates, held-out worlds and held-out kinds of error, all at once.

The mix of kinds is tuned so that a sentence embedder sees some kinds (a remark that justifies a mistake) and a
language model others too (an answer that differs from the last step, a number that the question does not have).
Of several wrong texts the one is taken that keeps lengths, digits, operators and sizes even between right and wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from aar.errors import LabError
from aar.testbeds.generators.item import Item, generators
from aar.testbeds.generators.math_bank.checker import faults
from aar.testbeds.generators.math_bank.errors import ERRORS
from aar.testbeds.generators.math_bank.held_out import HELD_OUT
from aar.testbeds.generators.math_bank.remarks import REMARKS
from aar.testbeds.generators.math_bank.solution import Question, Template
from aar.testbeds.generators.math_bank.templates import TEMPLATES
from aar.testbeds.generators.math_bank.worlds import HELD_OUT_WORLDS, WORLDS, World

MIX: Mapping[str, float] = {
    "unsound reason": 4.8,
    "ignored condition": 4.6,
    "inconsistent answer": 2.2,
    "misread number": 1.8,
    "another question": 1.4,
    "non sequitur": 1.4,
    "wrong unit": 1.2,
    "repeated step": 0.8,
    "dropped step": 0.5,
    "wrong factor": 0.3,
    "wrong operation": 0.3,
    "arithmetic slip": 0.25,
    "sign error": 0.25,
    "wrong quantity": 0.25,
}
"""Kind of error -> how often it is tried; kinds that apply to few templates end up rarer."""

HELD_OUT_MIX: Mapping[str, float] = {"wrong magnitude": 1.0, "miscopied result": 1.0, "guess": 1.0}
EDITS_TRIED = 6


@generators.register("math")
def generate(rng: np.random.Generator, n: int, n_ood: int) -> list[Item]:
    """n in-distribution items, then n_ood from held-out templates, worlds and kinds of error."""
    return [
        *_collect(rng, n, TEMPLATES, WORLDS, MIX, ood=False),
        *_collect(rng, n_ood, HELD_OUT, HELD_OUT_WORLDS, HELD_OUT_MIX, ood=True),
    ]


def _collect(
    rng: np.random.Generator,
    n: int,
    templates: Sequence[Template],
    worlds: Sequence[World],
    mix: Mapping[str, float],
    *,
    ood: bool,
) -> list[Item]:
    kinds, shares = list(mix), np.array(list(mix.values()))
    items: dict[str, Item] = {}
    tally: NDArray[np.float64] = np.zeros(len(traits("0")))
    while len(items) < n:
        template = templates[int(rng.integers(len(templates)))]
        question = pose(template, worlds[int(rng.integers(len(worlds)))], rng)
        kind = kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]
        right, wrongs = solve(question, kind, rng)
        if question.text in items or not wrongs:
            continue
        leans = [tally + np.sign(traits(wrong) - traits(right)) for wrong in wrongs]
        best = min(range(len(wrongs)), key=lambda i: float((leans[i] ** 2).sum()))
        tally = leans[best]
        items[question.text] = Item(
            prompt=question.text,
            right=right,
            wrong=wrongs[best],
            group=question.text,
            cell=template.family,
            subset=kind,
            difficulty=f"{len(question.right.steps)} steps",
            ood=ood,
        )
    return list(items.values())


def pose(template: Template, world: World, rng: np.random.Generator) -> Question:
    """Draw numbers until every step of the right solution gives a whole number; that solution must check."""
    cast = world.cast(rng)
    while True:
        question = Question(template, cast, template.draw(rng))
        text = question.right.render()
        if text is not None:
            if found := faults(question, text):
                raise LabError(f"template {template.family!r} has {found}: {question.text} {text}", code="bad_template")
            return question


def solve(question: Question, kind: str, rng: np.random.Generator) -> tuple[str, list[str]]:
    """The right text, and the different wrong texts that several tries at this kind of error gave (maybe none)."""
    right, remarks = question.right, REMARKS.get(kind)
    edits = [ERRORS[name] for name in (remarks.errors if remarks else (kind,))]
    drafts = [edits[int(rng.integers(len(edits)))](question, rng) for _ in range(EDITS_TRIED)]
    wrongs = [draft for draft in drafts if draft]
    if remarks:
        sound, unsound = remarks.pairs[int(rng.integers(len(remarks.pairs)))]
        right = replace(right, remark=sound)
        wrongs = [replace(draft, remark=unsound) for draft in wrongs]
    texts = {text for draft in wrongs if (text := draft.render()) and "answer" in faults(question, text)}
    return right.render() or "", sorted(texts)


def traits(text: str) -> NDArray[np.float64]:
    """[m] what a reader who cannot do sums might count: none of it may tell right from wrong."""
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    lengths = [len(text), len(text.split()), sum(map(str.isdigit, text)), len(numbers)]
    sizes = [numbers[-1], max(numbers), min(numbers), sum(numbers)]
    return np.array([*lengths, *sizes, *(text.count(mark) for mark in "+-*/=")], dtype=np.float64)
