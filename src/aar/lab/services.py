"""The lab as one object, and the contract of the scorer that is plugged into it.

`open_lab` opens everything that trusted code needs: database, code store, audit log. What a vector is worth is
decided by a `Scorer` (see `aar.scoring.gate`); the lab asks it and never sees a label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

import sqlalchemy as sa

from aar.errors import Conflict, NotFound
from aar.lab import tokens
from aar.lab.audit import AuditLog
from aar.lab.batches import Batches
from aar.lab.codestore import CodeStore
from aar.lab.store import Store
from aar.lab.tables import Study
from aar.lab.tokens import Identity
from aar.settings import LabFolder

OPEN_STUDIES = sa.select(Study.__table__.c.name).where(Study.__table__.c.state == "open").limit(2)


@dataclass(frozen=True)
class ProblemCard:
    """What everybody may know of a problem. Accuracies in [0, 1]; rows: interactive ones."""

    name: str
    kind: str
    floor: float | None
    ceiling: float | None
    rows: int
    interactive: bool = True  # False under 300 rows: no interactive lane
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class EvaluationAnswer:
    """All that a researcher learns from one vector."""

    status: Literal["improved", "not_improved"]
    pgr: float | None
    accuracy: float | None
    duplicate: bool
    budget_left: int


@dataclass(frozen=True)
class Budget:
    """Paid evaluations on the problem's label set. `left`: what this researcher may still pay; `today`: of it today."""

    problem: str
    lifetime: int
    spent: int
    left: int
    today: int


class Scorer(Protocol):
    """Answers vectors. Called inside the lab's write transaction: what it stores with the same `Store` commits with
    the answer or not at all. Raises InputError for a bad vector, BudgetSpent when nothing is left."""

    def problems(self) -> list[ProblemCard]: ...
    def evaluate(
        self, researcher: str, problem: str, study: str | None, predictions: Mapping[str, float]
    ) -> EvaluationAnswer: ...
    def budget(self, researcher: str, problem: str, study: str | None) -> Budget: ...


@dataclass
class Lab:
    """One open lab. `listeners` are called with no argument after researchers or tokens have changed."""

    folder: LabFolder
    store: Store
    code: CodeStore
    audit: AuditLog
    scorer: Scorer
    stopping: bool = False
    streams: Counter[str] = field(default_factory=Counter)
    listeners: list[Callable[[], None]] = field(default_factory=list)

    @cached_property
    def batches(self) -> Batches:
        return Batches(self.store)

    def problem(self, name: str) -> ProblemCard:
        """The problem of this name or short name. NotFound lists the known ones."""
        cards = self.scorer.problems()
        for card in cards:
            if name == card.name or name in card.aliases:
                return card
        known = ", ".join(card.name for card in cards) or "none yet: build one with `aar testbed build`"
        raise NotFound(f"no problem {name[:80]!r}", code="unknown_problem", hint=f"known: {known}")

    def study_of(self, who: Identity, named: str | None = None) -> str | None:
        """The open study that an act of this identity belongs to. Conflict if that study was stopped."""
        if who.study and named and named != who.study:
            raise NotFound(f"no study {named[:40]!r} for this token", hint=f"leave it out, or use {who.study!r}")
        with self.store.reading() as session:
            name = named or who.study
            if name is None:
                open_ones = session.connection().execute(OPEN_STUDIES).scalars().all()
                return open_ones[0] if len(open_ones) == 1 else None
            study = session.get(Study, name)
        if study is None:
            raise NotFound(f"no study {name[:40]!r}")
        if study.state != "open":
            raise Conflict(f"study {name!r} is {study.state}", code="study_stopped", hint="nothing can be added to it")
        return name

    def changed(self) -> None:
        """Tell the listeners that researchers or tokens are not what they were."""
        for listener in self.listeners:
            listener()

    def owner_token(self) -> str:
        return tokens.owner_token(self.store, self.folder.sealed / "owner.token")

    def close(self) -> None:
        self.stopping = True
        self.batches.close()
        self.store.close()


def open_lab(
    folder: LabFolder, scorer: Scorer | Callable[[Store], Scorer], url: str | None = None, head: Path | None = None
) -> Lab:
    """Open a lab, making or migrating what is missing. A scorer that stores things is given as `lambda store: ...`."""
    for path in (folder.root, folder.sealed, folder.database.parent):
        path.mkdir(parents=True, exist_ok=True, mode=0o700 if path != folder.root else 0o755)
    store = Store(url or folder.database)
    store.migrate()
    audit = AuditLog(folder.database.parent / "audit.jsonl", folder.sealed / "audit.key", head)
    audit.drain(store)
    store.after_commit.append(lambda: audit.drain(store))
    code = CodeStore(folder.code_store)
    return Lab(folder, store, code, audit, scorer(store) if callable(scorer) else scorer)
