"""What a full testbed is made of: sources, rows that are there, problems whose solutions are generated and graded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aar.registry import Registry
from aar.testbeds.full.sources import Source
from aar.testbeds.rows import Split
from aar.types import Text

Folders = Mapping[str, Path]  # source name -> the folder of its files
Run = Callable[[str, bytes], bytes]  # (Python program, standard input) -> standard output; nobody trusts the program


@dataclass(frozen=True)
class Candidate:
    """One possible row. A pair has its better response first and label 0 until sides are drawn. pool: what quotas count;
    subset and difficulty: the cells in which labels are balanced."""

    where: str
    pool: str
    text: Text
    label: int
    subset: str
    difficulty: str

    @property
    def question(self) -> str:
        return plain(self.text.question)


def plain(question: str) -> str:
    """What makes two questions one: whitespace and case make no difference."""
    return " ".join(question.split()).casefold()


@dataclass(frozen=True)
class Problem:
    """A question that generators answer. key: the right answer, or tests as JSON. difficulty "": by who solves it."""

    where: str
    pool: str
    question: str
    key: str
    difficulty: str = ""


@dataclass(frozen=True)
class Solving:
    """How solutions are asked for and graded. prompt: a template with {question}."""

    problems: Callable[[Folders], Iterator[Problem]]
    prompt: str
    right: Callable[[Problem, str, Run], bool]


@dataclass(frozen=True)
class FullBed:
    """quotas: split -> pool -> rows; `test` counts those that become private too. Either `read` or `solving`."""

    sources: tuple[Source, ...]
    quotas: Mapping[Split, Mapping[str, int]]
    read: Callable[[Folders], Iterator[Candidate]] | None = None
    solving: Solving | None = None


full_beds: Registry[FullBed] = Registry("full testbed", "aar.testbeds.full")
