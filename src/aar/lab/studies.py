"""Studies as rows: made, listed, stopped. Running one is `aar.studies`'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aar.errors import Conflict, NotFound
from aar.lab import events
from aar.lab.services import Lab
from aar.lab.tables import Researcher, Study, now
from aar.lab.tokens import checked_name


@dataclass(frozen=True)
class ResearcherView:
    name: str
    study: str | None
    kind: str
    direction: str
    created: str


@dataclass(frozen=True)
class StudyView:
    name: str
    problem: str
    state: str
    settings: dict[str, Any]
    researchers: list[ResearcherView]
    created: str
    stopped: str | None


def create(lab: Lab, name: str, problem: str, settings: dict[str, Any] | None = None) -> StudyView:
    """Open a study on a known problem. Conflict if the name is taken."""
    checked_name(name, "study")
    problem = lab.problem(problem).name
    with lab.store.transaction() as session:
        if session.get(Study, name):
            raise Conflict(f"study {name!r} exists", hint="choose another name, or resume it")
        row = Study(name=name, problem=problem, settings=settings or {})
        session.add(row)
        session.flush()
        lab.store.record("owner", "study.new", name=name, problem=problem)
        events.publish(lab.store, "study", {"name": name, "state": "open"}, name)
        return _view(session, row)


def set_state(lab: Lab, name: str, state: str, actor: str = "owner") -> StudyView:
    """ "open", "stopped" or "finalized"; a finalized study stays so. Setting the same state again changes nothing."""
    with lab.store.transaction() as session:
        row = session.get(Study, name)
        if row is None:
            raise NotFound(f"no study {name[:40]!r}")
        if row.state == "finalized" and state != "finalized":
            raise Conflict(f"study {name!r} is finalized", code="study_finalized")
        if row.state != state:
            row.state, row.stopped = state, None if state == "open" else now()
            lab.store.record(actor, f"study.{state}", name=name)
            events.publish(lab.store, "study", {"name": name, "state": state}, name)
        return _view(session, row)


def read(lab: Lab, name: str) -> StudyView:
    with lab.store.reading() as session:
        row = session.get(Study, name)
        if row is None:
            raise NotFound(f"no study {name[:40]!r}")
        return _view(session, row)


def listed(lab: Lab) -> list[StudyView]:
    with lab.store.reading() as session:
        return [_view(session, row) for row in session.scalars(sa.select(Study).order_by(Study.created))]


def _view(session: Session, row: Study) -> StudyView:
    members = session.scalars(sa.select(Researcher).where(Researcher.study == row.name).order_by(Researcher.name))
    people = [ResearcherView(r.name, r.study, r.kind, r.direction, r.created) for r in members]
    return StudyView(row.name, row.problem, row.state, row.settings, people, row.created, row.stopped)
