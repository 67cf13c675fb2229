"""Snapshots: versions of a workspace in the code store, with who made them and what they build on."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aar.errors import BudgetSpent, NotFound
from aar.lab import events, links
from aar.lab.services import Lab
from aar.lab.tables import Snapshot
from aar.lab.tokens import Identity

QUOTA = 500_000_000  # bytes of one researcher's snapshots together


@dataclass(frozen=True)
class SnapshotView:
    """`tree` is the same for the same files. `disqualified`: it is, or builds on, disqualified code."""

    id: str
    tree: str
    researcher: str
    study: str | None
    note: str
    files: int
    bytes: int
    parents: list[str]
    disqualified: bool
    created: str


def put(
    lab: Lab, who: Identity, files: dict[str, bytes], parents: list[str] | None = None, note: str = ""
) -> SnapshotView:
    """Store these files. Parents must be snapshots that this identity may see."""
    study = lab.study_of(who)
    parents = list(dict.fromkeys(parents or []))
    with lab.store.transaction() as session:
        for parent in parents:
            _find(session, who, parent)
        _check_quota(session, who, sum(map(len, files.values())))
        stored = lab.code.put(files, parents, f"{who.name}: {note}")
        row = session.get(Snapshot, stored.id)
        if row is None:  # the same files, parents, note and second give the same commit
            row = Snapshot(id=stored.id, tree=stored.tree, study=study, researcher=who.name, note=note)
            row.files, row.bytes = len(files), sum(map(len, files.values()))
            session.add(row)
            session.flush()
            node = links.node("snapshot", row.id)
            links.add(session, node, [links.node("snapshot", p) for p in parents])
            row.marked_by = links.mark_from(session, node)
            lab.store.record(who.name, "snapshot.put", id=row.id, tree=row.tree, parents=parents)
            events.publish(lab.store, "snapshot.new", {"id": row.id, "researcher": who.name, "note": note}, study)
        return _view(session, row)


def read(lab: Lab, who: Identity, snapshot: str) -> SnapshotView:
    with lab.store.reading() as session:
        return _view(session, _find(session, who, snapshot))


def listed(
    lab: Lab, who: Identity, researcher: str | None = None, limit: int = 100, offset: int = 0
) -> list[SnapshotView]:
    """Newest first; those of the identity's study."""
    query = sa.select(Snapshot).order_by(Snapshot.created.desc(), Snapshot.id).limit(limit).offset(offset)
    if researcher:
        query = query.where(Snapshot.researcher == researcher)
    if who.study:
        query = query.where(Snapshot.study == who.study)
    with lab.store.reading() as session:
        return [_view(session, row) for row in session.scalars(query)]


def _check_quota(session: Session, who: Identity, more: int) -> None:
    used = session.scalar(sa.select(sa.func.sum(Snapshot.bytes)).where(Snapshot.researcher == who.name)) or 0
    if used + more > QUOTA:
        raise BudgetSpent(
            f"your snapshots hold {used:,} of {QUOTA:,} bytes", code="quota", hint="leave data out of snapshots"
        )


def _find(session: Session, who: Identity, id_: str) -> Snapshot:
    row = session.get(Snapshot, id_)
    if row is None or (who.study and row.study != who.study):
        raise NotFound(f"no snapshot {id_[:60]!r}", hint="GET /api/v1/snapshots lists them")
    return row


def _view(session: Session, row: Snapshot) -> SnapshotView:
    parents = [p.removeprefix("snapshot:") for p in links.parents_of(session, links.node("snapshot", row.id))]
    return SnapshotView(
        row.id, row.tree, row.researcher, row.study, row.note, row.files, row.bytes, parents, row.marked_by is not None,
        row.created,
    )  # fmt: skip
