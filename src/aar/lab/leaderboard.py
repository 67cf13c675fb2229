"""The board of one problem: server-run, verified submissions, ranked by what the gate let out.

Rank 1 is the highest public PGR; a verdict of "not improved" has no figure and ranks behind all that have one.
Floor, ceiling, published baselines and people stand on it unranked. A claimed figure is shown next to the
verdict and never ranks. Exact figures are not known here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from aar.lab import links
from aar.lab.screening import SCREENED_OUT
from aar.lab.services import Lab
from aar.lab.tables import Baseline, Submission
from aar.lab.tokens import Identity

UNRANKED = "not ranked: it, or what it builds on, comes from outside any sandbox, where labels could be read"
SCREENED = "not ranked: its first seed was too far below what ranks for the others to be run"


@dataclass(frozen=True)
class BoardRow:
    """`kind`: submission, or floor, ceiling, baseline, human. `error`: +- on accuracy, from the row count alone.
    `teacher_dependence` names the board the method belongs on, None until it was measured."""

    rank: int | None
    kind: str
    name: str
    researcher: str | None
    pgr: float | None
    accuracy: float | None
    error: float | None
    status: str | None
    claimed: float | None
    teacher_dependence: str | None
    submission: int | None
    snapshot: str | None
    note: str
    created: str


@dataclass(frozen=True)
class Board:
    problem: str
    floor: float | None
    ceiling: float | None
    rows: list[BoardRow]


def board(lab: Lab, who: Identity, problem: str) -> Board:
    """Everything that ranks, best first, then the baselines."""
    card = lab.problem(problem)
    query = sa.select(Submission).where(Submission.problem == card.name, Submission.state == "verified")
    if who.study:
        query = query.where(Submission.study == who.study)
    with lab.store.reading() as session:
        apart = links.unranked(session)
        seen = [_ranked(row) for row in session.scalars(query)]
        rows = [r for r in seen if r.submission not in apart and not r.note]
        rows.sort(key=lambda r: (r.pgr is None, -(r.pgr or 0), r.submission))
        extra = session.scalars(sa.select(Baseline).where(Baseline.problem == card.name).order_by(Baseline.kind))
        rows = [BoardRow(**{**r.__dict__, "rank": i}) for i, r in enumerate(rows, 1)]
        rows += [r for r in seen if r.submission not in apart and r.note]
        rows += [replace(r, note=UNRANKED) for r in seen if r.submission in apart]
        rows += _bounds(card.floor, card.ceiling) + [_unranked(b) for b in extra]
    return Board(card.name, card.floor, card.ceiling, rows)


def set_baseline(lab: Lab, problem: str, name: str, kind: str, **figures: Any) -> None:
    """Put an unranked row on a board, or replace it: `accuracy`, `pgr`, `se`, `seeds`, `note`."""
    with lab.store.transaction() as session:
        session.merge(Baseline(problem=lab.problem(problem).name, name=name, kind=kind, **figures))
        lab.store.record("owner", "baseline.set", problem=problem, name=name, kind=kind, **figures)


def _ranked(row: Submission) -> BoardRow:
    public = row.public or {}
    return BoardRow(
        rank=None, kind="submission", name=row.method, researcher=row.researcher, pgr=public.get("pgr"),
        accuracy=public.get("accuracy"), error=public.get("error"), status=public.get("status"), claimed=row.claimed,
        teacher_dependence=row.board, submission=row.id, snapshot=row.snapshot, created=row.finished or "",
        note=SCREENED if public.get("status") == SCREENED_OUT else "",
    )  # fmt: skip


def _unranked(row: Baseline) -> BoardRow:
    return BoardRow(
        rank=None, kind=row.kind, name=row.name, researcher=None, pgr=row.pgr, accuracy=row.accuracy, error=row.se,
        status=None, claimed=None, teacher_dependence=None, submission=None, snapshot=None, note=row.note,
        created=row.created,
    )  # fmt: skip


def _bounds(floor: float | None, ceiling: float | None) -> list[BoardRow]:
    known = {"floor": (floor, 0.0), "ceiling": (ceiling, 1.0)}
    return [
        _unranked(Baseline(name=kind, kind=kind, accuracy=accuracy, pgr=pgr, se=None, note="", created=""))
        for kind, (accuracy, pgr) in known.items()
        if accuracy is not None
    ]
