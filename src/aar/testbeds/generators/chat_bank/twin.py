"""Two questions and two responses, crosswise: what answers the first question is wrong for the second.

A kind of question is a function from a Draw (random choices out of one shelf of the banks) to a Twin. Because both
responses are right once and wrong once, nothing in a response alone (length, words, punctuation) tells which is
right: the prompt must be read. Knows nothing about splits or ids.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

Row = tuple[str, ...]


class OutOfRows(Exception):
    """A shelf holds too few rows for this kind: draw another kind."""


@dataclass(frozen=True)
class Twin:
    """responses[i] is right for prompts[i] and wrong for the other; `holds(i, response)` decides it from the facts."""

    prompts: tuple[str, str]
    responses: tuple[str, str]
    holds: Callable[[int, str], bool]

    def after(self, opening: str) -> Twin:
        """The same twin with both questions after an opening, such as a greeting."""
        return replace(self, prompts=(opening + self.prompts[0], opening + self.prompts[1]))

    def sound(self) -> bool:
        """Whether the checker says so too: right holds, wrong does not, for both questions."""
        return (
            all(self.holds(i, self.responses[i]) and not self.holds(i, self.responses[1 - i]) for i in (0, 1))
            and len({*self.prompts, *self.responses}) == 4
        )


@dataclass(frozen=True)
class Draw:
    """The random choices behind one twin. Held-out draws use the last phrase of each list, the others never do."""

    rng: np.random.Generator
    shelf: dict[str, list[Row]]
    held_out: bool = False

    def pick(self, options: Sequence[str]) -> str:
        return options[int(self.rng.integers(len(options)))]

    def phrase(self, *options: str) -> str:
        return options[-1] if self.held_out else self.pick(options[:-1])

    def rows(self, bank: str, count: int, differ: int = 0) -> list[Row]:
        """`count` rows of a bank in random order whose field `differ` takes `count` different values."""
        rows = self.shelf[bank]
        out: dict[str, Row] = {}
        for i in self.rng.permutation(len(rows)):
            out.setdefault(rows[i][differ], rows[i])
        if len(out) < count:
            raise OutOfRows
        chosen = list(out.values())[:count]
        return [chosen[i] for i in self.rng.permutation(count)]

    def words(self, bank: str, count: int) -> list[str]:
        return [row[0] for row in self.rows(bank, count)]


Kind = Callable[[Draw], Twin]
KINDS: dict[str, Kind] = {}
HELD_OUT_KINDS: dict[str, Kind] = {}


def kind(name: str, held_out: bool = False) -> Callable[[Kind], Kind]:
    """Add a kind of question; a held-out kind is asked out of distribution only."""

    def add(make: Kind) -> Kind:
        (HELD_OUT_KINDS if held_out else KINDS)[name] = make
        return make

    return add


def has(text: str, *wanted: str) -> bool:
    """Whether every wanted word or phrase stands in the text as whole words, whatever the case."""
    return all(re.search(rf"(?<!\w){re.escape(want)}(?!\w)", text, re.IGNORECASE) for want in wanted)


def names(keys: Sequence[str]) -> Callable[[int, str], bool]:
    """The checker of most kinds: a response to question i must name keys[i] and not the other one."""
    return lambda i, response: has(response, keys[i]) and not has(response, keys[1 - i])


def each(template: str, values: Sequence[str]) -> tuple[str, str]:
    """The template once for each of two values."""
    return template.format(values[0]), template.format(values[1])


def an(noun: str) -> str:
    return f"an {noun}" if noun[0].lower() in "aeiou" else f"a {noun}"
