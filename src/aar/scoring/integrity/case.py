"""What a check is given and what it says.

A `Case` is one verified submission laid out as plain arrays and bytes: its predictions, the truth on the interactive
rows, its answers on altered tasks, its code, the code of others and the asker's query log. A check reads it and
returns findings. Private rows are not in it: a decision that leaned on them would spend them. Knows no file, no
sandbox and no database; a check is one file in this folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from aar.registry import Registry
from aar.scoring.gatelog import Entry
from aar.scoring.metrics import correctness
from aar.types import Kind, Text

Level = Literal["flag", "note"]  # a flag asks for a person's decision, a note is there to be read


@dataclass(frozen=True)
class Finding:
    """`says`: the result in one sentence with its figures; `look`: how a person confirms it in a minute; `label`: what
    the check suggests to call it. Nothing is decided here."""

    check: str
    level: Level
    label: str
    says: str
    look: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    board: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Answer:
    """What the snapshot answered on one altered task. p [seeds, n] in the order of the case's rows, None where the run
    failed with the code `error`; `touched`: the tripwires that went off; `changed` bool [n]: the rows that were altered,
    None where all were."""

    p: np.ndarray | None
    error: str = ""
    touched: tuple[str, ...] = ()
    changed: np.ndarray | None = None


@dataclass(frozen=True)
class Code:
    """A version by somebody, older than the case's. `credited`: the case's snapshot names it as an ancestor. `pgr`: the
    figures of its own verdict on the same problem, if it has one."""

    snapshot: str
    researcher: str
    files: Mapping[str, bytes]
    credited: bool = False
    submission: int | None = None
    pgr: tuple[float, ...] = ()


@dataclass(frozen=True)
class Case:
    """One submission. n interactive rows, s seeds, t teacher draws. `pgr` [s] is empty where none can be scored;
    `alone` [k, n]: what a plain student on random features learns from the teacher; `log`: the researcher's queries on
    these rows, oldest first; `known`: code that everybody has (the built-in methods)."""

    truth: np.ndarray
    p: np.ndarray
    kind: Kind = "pair"
    ids: tuple[str, ...] = ()
    hidden_ids: tuple[str, ...] = ()
    groups: np.ndarray | None = None
    texts: tuple[Text, ...] = ()
    train_texts: tuple[Text, ...] = ()
    floor: np.ndarray | None = None
    alone: np.ndarray | None = None
    pgr: tuple[float, ...] = ()
    claimed: float | None = None
    altered: Mapping[str, Answer] = field(default_factory=dict)
    researcher: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    others: Sequence[Code] = ()
    known: Sequence[Mapping[str, bytes]] = ()
    log: Sequence[Entry] = ()
    canaries: tuple[str, ...] = ()
    outputs: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def right(self) -> np.ndarray:
        """[s, n] correctness of the verdict's predictions."""
        return correctness(self.p, self.truth)

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())

    def on(self, name: str) -> np.ndarray | None:
        """[s, n] correctness on an altered task; None where it was not run or failed."""
        answer = self.altered.get(name)
        return None if answer is None or answer.p is None else correctness(answer.p, self.truth)

    def lost(self, name: str) -> tuple[float, float] | None:
        """(accuracy lost on an altered task, its standard error), on the same rows."""
        other = self.on(name)
        return None if other is None else paired(self.right, other, self.groups)


def paired(a: np.ndarray, b: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, float]:
    """(mean of a - b, its standard error) for correctness [s, n] and [s', n]: rows by group, and seeds, both vary."""
    row = a.mean(0) - b.mean(0)
    _, member = np.unique(np.arange(len(row)) if groups is None else groups, return_inverse=True)
    by_group = np.bincount(member, weights=row - row.mean())
    seeds = sum(float(m.mean(1).var(ddof=1)) / len(m) for m in (a, b) if len(m) > 1)
    return float(row.mean()), float(np.sqrt((by_group**2).sum() / len(row) ** 2 + seeds))


@dataclass(frozen=True)
class Check:
    """`needs`: the altered tasks it reads, so that the battery runs each of them once."""

    run: Callable[[Case], list[Finding]]
    needs: tuple[str, ...] = ()


checks: Registry[Check] = Registry("check", "aar.scoring.integrity")


def check(name: str, *needs: str) -> Callable[[Callable[[Case], list[Finding]]], Callable[[Case], list[Finding]]]:
    """`@check("copying")` above `def find(case) -> list[Finding]`."""

    def add(run: Callable[[Case], list[Finding]]) -> Callable[[Case], list[Finding]]:
        checks.register(name)(Check(run, needs))
        return run

    return add
