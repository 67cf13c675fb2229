"""What a researcher is: a program that works at a bench until its budget is spent. Knows no lab, sandbox or label.

A `Workbench` is all a researcher has: budget, findings of others, a place to write and try methods on public data,
and the public acts (evaluate, submit, share, upload). It must act by the bench's answers and its own seed alone, so that
a resumed researcher, given the recorded answers again, comes to where it was.

s seeds, n public test rows, m training rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from aar.errors import AarError
from aar.registry import Registry
from aar.researchers.grants import Grants

FindingKind = Literal["result", "hypothesis", "insight", "error", "observation"]


class Retuned(AarError):
    """The study was changed in a way that this researcher must be started anew for. Nothing that was done is lost."""

    default_code = "retuned"


class Stopped(AarError):
    """The study was stopped or the wall clock ran out: return from `work`. Not a failure."""

    default_code = "stopped"


@dataclass(frozen=True)
class Llm:
    """What an LLM researcher thinks with, and the dollars it may never pass. `model`, `think`: names as Inspect knows
    them ("anthropic/claude-..."), or "scripted"; `think` "" is `model`. `max_tokens`: of one answer."""

    model: str = ""
    think: str = ""
    usd: float = 1.0
    usd_study: float = 10.0
    usd_day: float = 100.0
    max_tokens: int = 8192
    context: int = 150_000


@dataclass(frozen=True)
class Assignment:
    """Who works how on what, and how much of everything. `direction`: a name in `directions/`, or any with `own_words` (of a
    file, of a model), which are then the direction. `wall_s`: over all sessions of a resumed study. Counts are the study's own; the lab's gate may grant fewer."""

    study: str
    name: str
    arm: str
    direction: str
    seed: int
    trials: int
    evaluations: int
    submissions: int
    wall_s: float
    llm: Llm = field(default_factory=Llm)
    own_words: str = ""
    grants: Grants = field(default_factory=Grants)


@dataclass(frozen=True)
class Left:
    """What remains. `paid`: answers the lab still has for this researcher, verdicts of submissions included."""

    trials: int
    evaluations: int
    submissions: int
    paid: int
    seconds: float


@dataclass(frozen=True)
class Finding:
    """A synced forum post. Everything but id, researcher, standing and runs is its author's word."""

    id: int
    kind: str
    title: str
    body: str
    researcher: str
    standing: str
    runs: tuple[int, ...] = ()
    builds_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """One configuration on all its seeds. `p` f32 [s, n]: P(label = 1) of each seed on the public test rows `ids`.
    `held_out` f32 [m]: for every training row the prediction of the method trained without its fold, NaN where it
    was not asked; `weak` f32 [m]: the weak labels of the same rows. `error`: why there is none of all this."""

    name: str
    ids: tuple[str, ...]
    p: np.ndarray
    held_out: np.ndarray
    weak: np.ndarray
    seconds: float
    error: str | None = None


@dataclass(frozen=True)
class Answer:
    """What the lab tells of a vector or a rerun: a figure only where it improved on what this researcher was told.
    `state`: "answered", for a submission also "failed" or "pending"."""

    improved: bool
    pgr: float | None
    duplicate: bool = False
    state: str = "answered"


@dataclass(frozen=True)
class BoardRow:
    """A rerun that ranks; server-run, so the one kind of figure to believe."""

    submission: int
    researcher: str
    snapshot: str
    pgr: float | None


class Workbench(Protocol):
    """Everything acts raises `Stopped` at the end of time and `BudgetSpent` where nothing is left to pay with."""

    @property
    def name(self) -> str: ...
    @property
    def direction(self) -> str: ...
    @property
    def study(self) -> str: ...
    @property
    def problem(self) -> str: ...
    @property
    def offers(self) -> frozenset[str]:
        """What the task offers a method, in the words of `methods.card.Input`."""

    def budget(self) -> Left: ...
    def findings(self) -> list[Finding]:
        """All that were synced so far, oldest first."""

    def leaderboard(self) -> list[BoardRow]: ...
    def write_method(self, name: str, source: str) -> Path:
        """A method folder with this `method.py`."""

    def try_method(self, method: Path, held_out: bool = True) -> Trial:
        """Run it in the sandbox on every seed, public rows only. A method that fails gives a trial with `error`."""

    def evaluate(self, predictions: Mapping[str, float]) -> Answer: ...
    def submit(self, method: Path, claimed: float | None = None) -> int: ...
    def submission(self, id_: int, wait_s: float = 0.0) -> Answer:
        """Its verdict, waited for as long as said; state "pending" when there is none yet."""

    def share_finding(
        self,
        kind: FindingKind,
        title: str,
        body: str,
        *,
        runs: Sequence[int] = (),
        snapshots: Sequence[str] = (),
        findings: Sequence[int] = (),
    ) -> int: ...
    def upload_snapshot(self, folder: Path, parents: Sequence[str] = (), note: str = "") -> str: ...
    def download_snapshot(self, id_: str) -> Path:
        """A folder with its files. They are another's: data to read, never code to run out here."""

    def log(self, text: str, **data: Any) -> None: ...
    def rest(self, seconds: float) -> None:
        """Wait, at most until `Stopped`."""


class Researcher(Protocol):
    """`work` returns when it has nothing more to do. It may let `Stopped` and `BudgetSpent` through."""

    def work(self, bench: Workbench) -> None: ...


@dataclass(frozen=True)
class Event:
    """Something a researcher did, for whoever watches. `step`: its place in the journal, the same when replayed."""

    step: int
    kind: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)
    replayed: bool = False


researchers: Registry[Callable[[Assignment], Researcher]] = Registry("researcher", "aar.researchers")


def clean(text: object, most: int = 500) -> str:
    """Untrusted text for a terminal or a log: one line, no control or direction-changing characters, cut at `most`."""
    return "".join(c if c.isprintable() else " " for c in str(text)[:most])
