"""What builds on what: submissions, snapshots and findings as one graph, and the mark that runs down it.

When a submission is disqualified, every finding and snapshot that builds on it, at any distance, is marked; a
later approval takes back the marks that no other disqualified submission explains.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aar.lab.tables import Finding, Link, Researcher, Snapshot, Submission
from aar.lab.tokens import UNSANDBOXED

CHUNK = 500


def node(kind: str, id_: object) -> str:
    """How a thing is written in the graph: "submission:7"."""
    return f"{kind}:{id_}"


def add(session: Session, child: str, parents: list[str]) -> None:
    """`child` builds on these."""
    session.add_all(Link(child=child, parent=parent) for parent in dict.fromkeys(parents))
    session.flush()


def parents_of(session: Session, child: str) -> list[str]:
    return list(session.scalars(sa.select(Link.parent).where(Link.child == child).order_by(Link.parent)))


def mark_from(session: Session, child: str) -> int | None:
    """The disqualified submission that a new child inherits from its parents, if any."""
    for parent in parents_of(session, child):
        kind, _, id_ = parent.partition(":")
        if kind == "submission":
            row = session.get(Submission, int(id_))
            if row and row.state == "disqualified":
                return row.id
        else:
            marked = session.get(Snapshot, id_) if kind == "snapshot" else session.get(Finding, int(id_))
            if marked and marked.marked_by:
                return marked.marked_by
    return None


def remark(session: Session) -> None:
    """Bring all marks up to date with the submissions that are disqualified now."""
    session.flush()
    for table in (Finding, Snapshot):
        session.execute(sa.update(table).values(marked_by=None))
    bad = session.execute(
        sa.select(Submission.id, Submission.snapshot).where(Submission.state == "disqualified").order_by(Submission.id)
    )
    for id_, snapshot in bad.all():
        # The code itself is tainted, so what builds on its snapshot is, too.
        below = _descendants(session, node("submission", id_)) | _descendants(session, node("snapshot", snapshot))
        _mark(session, below | {node("snapshot", snapshot)}, id_)
    session.expire_all()


def unranked(session: Session) -> set[int]:
    """Submissions that never rank and are never opened in a final lane: an unsandboxed researcher handed them in, or
    wrote the snapshot or one that it builds on."""
    people = set(session.scalars(sa.select(Researcher.name).where(Researcher.kind == UNSANDBOXED)))
    if not people:
        return set()
    name = sa.cast(sa.literal(node("snapshot", "")) + Snapshot.id, Link.child.type)
    below = _closed(sa.select(name.label("child")).where(Snapshot.researcher.in_(people)))
    theirs = sa.select(sa.func.substr(below.c.child, len(node("snapshot", "")) + 1))
    return set(
        session.scalars(
            sa.select(Submission.id).where(sa.or_(Submission.researcher.in_(people), Submission.snapshot.in_(theirs)))
        )
    )


def _mark(session: Session, nodes: set[str], submission: int) -> None:
    findings = [int(n.removeprefix("finding:")) for n in nodes if n.startswith("finding:")]
    snapshots = [n.removeprefix("snapshot:") for n in nodes if n.startswith("snapshot:")]
    for table, ids in ((Finding, findings), (Snapshot, snapshots)):
        for i in range(0, len(ids), CHUNK):
            here = sa.and_(table.id.in_(ids[i : i + CHUNK]), table.marked_by.is_(None))
            session.execute(sa.update(table).where(here).values(marked_by=submission))


def _descendants(session: Session, start: str) -> set[str]:
    return set(session.scalars(sa.select(_closed(sa.select(Link.child).where(Link.parent == start)).c.child)))


def _closed(start: sa.Select[str]) -> sa.CTE:
    """These nodes and all that builds on them, as a table with the column `child`."""
    below = start.cte("below", recursive=True)
    return below.union(sa.select(Link.child).join(below, Link.parent == below.c.child))
