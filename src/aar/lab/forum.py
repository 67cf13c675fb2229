"""The forum: findings, comments, votes. Keeps bodies whole or refuses them, never shortens.

A finding that claims no run, another's, or one that was not verified, shows as unverified; one that builds on a
disqualified submission shows as disqualified. Members of a study see that study's findings. Knows no figure:
what a post says is its author's word until a run id stands behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aar.errors import Conflict, InputError, NotFound
from aar.lab import events, links
from aar.lab.services import Lab
from aar.lab.tables import FINDING_KINDS, Comment, Finding, Snapshot, Submission, Vote
from aar.lab.tokens import Identity

MAX_BODY = 200_000
MAX_TITLE = 300
MAX_LINKS = 50
Sort = Literal["new", "old", "votes", "comments"]
Standing = Literal["verified", "unverified", "disqualified"]


@dataclass(frozen=True)
class FindingView:
    """`standing`: whether server-run results of its author stand behind it. `runs`: the submissions that it claims."""

    id: int
    kind: str
    title: str
    body: str
    researcher: str
    study: str | None
    standing: Standing
    runs: list[int]
    builds_on: list[str]
    votes: int
    comments: int
    created: str


@dataclass(frozen=True)
class CommentView:
    id: int
    finding: int
    researcher: str
    body: str
    created: str


def post(
    lab: Lab,
    who: Identity,
    kind: str,
    title: str,
    body: str,
    runs: list[int] | None = None,
    snapshots: list[str] | None = None,
    findings: list[int] | None = None,
) -> FindingView:
    """Share a finding. `runs`, `snapshots` and `findings` are what it rests on; they must exist and be visible."""
    if kind not in FINDING_KINDS:
        raise InputError(f"no kind of finding {kind!r}", hint=f"known: {', '.join(FINDING_KINDS)}")
    _check_text("title", title, MAX_TITLE)
    _check_text("body", body, MAX_BODY)
    runs, study = sorted(set(runs or [])), lab.study_of(who)
    with lab.store.transaction() as session:
        parents = [links.node("submission", _visible(session, who, Submission, r).id) for r in runs]
        parents += [links.node("snapshot", _visible(session, who, Snapshot, s).id) for s in snapshots or []]
        parents += [links.node("finding", _visible(session, who, Finding, f).id) for f in findings or []]
        if len(parents) > MAX_LINKS:
            raise InputError(f"{len(parents)} references; a finding may have {MAX_LINKS}", code="too_many_links")
        row = Finding(study=study, researcher=who.name, kind=kind, title=title, body=body, runs=runs)
        session.add(row)
        session.flush()
        links.add(session, links.node("finding", row.id), parents)
        row.marked_by = links.mark_from(session, links.node("finding", row.id))
        lab.store.record(who.name, "finding.post", id=row.id, kind=kind, title=title)
        told = {"id": row.id, "kind": kind, "title": title, "researcher": who.name}
        events.publish(lab.store, "finding.new", told, study)
        return _view(session, row)


def read(lab: Lab, who: Identity, finding: int) -> FindingView:
    with lab.store.reading() as session:
        return _view(session, _visible(session, who, Finding, finding))


def listed(
    lab: Lab,
    who: Identity,
    *,
    search: str = "",
    kind: str | None = None,
    researcher: str | None = None,
    sort: Sort = "new",
    after: int = 0,
    limit: int = 50,
    offset: int = 0,
) -> list[FindingView]:
    """Findings with every word of `search` in title or body; `after`: only ids above it, for syncing."""
    order = {
        "new": Finding.id.desc(),
        "old": Finding.id,
        "votes": Finding.votes.desc(),
        "comments": Finding.comments.desc(),
    }
    query = sa.select(Finding).where(Finding.id > after)
    for word in search.split()[:20]:
        found = [c.icontains(word, autoescape=True) for c in (Finding.title, Finding.body)]
        query = query.where(sa.or_(*found))
    if kind:
        query = query.where(Finding.kind == kind)
    if researcher:
        query = query.where(Finding.researcher == researcher)
    if who.study:
        query = query.where(Finding.study == who.study)
    query = query.order_by(order[sort], Finding.id.desc()).limit(limit).offset(offset)
    with lab.store.reading() as session:
        return [_view(session, row) for row in session.scalars(query)]


def comment(lab: Lab, who: Identity, finding: int, body: str) -> CommentView:
    _check_text("body", body, MAX_BODY)
    lab.study_of(who)
    with lab.store.transaction() as session:
        parent = _visible(session, who, Finding, finding)
        row = Comment(finding=finding, researcher=who.name, body=body)
        session.add(row)
        parent.comments += 1
        session.flush()
        lab.store.record(who.name, "finding.comment", id=row.id, finding=finding)
        events.publish(
            lab.store, "comment.new", {"id": row.id, "finding": finding, "researcher": who.name}, parent.study
        )
        return CommentView(row.id, finding, who.name, body, row.created)


def comments(lab: Lab, who: Identity, finding: int) -> list[CommentView]:
    """Oldest first."""
    with lab.store.reading() as session:
        _visible(session, who, Finding, finding)
        rows = session.scalars(sa.select(Comment).where(Comment.finding == finding).order_by(Comment.id))
        return [CommentView(c.id, c.finding, c.researcher, c.body, c.created) for c in rows]


def vote(lab: Lab, who: Identity, finding: int, value: int) -> FindingView:
    """One vote a researcher: 1, -1, or 0 to take it back. Nobody votes on an own finding."""
    lab.study_of(who)
    with lab.store.transaction() as session:
        row = _visible(session, who, Finding, finding)
        if row.researcher == who.name:
            raise Conflict("a finding cannot be voted on by its author", code="own_finding")
        session.execute(sa.delete(Vote).where(Vote.finding == finding, Vote.researcher == who.name))
        if value:
            session.add(Vote(finding=finding, researcher=who.name, value=value))
        session.flush()
        total = sa.select(sa.func.coalesce(sa.func.sum(Vote.value), 0)).where(Vote.finding == finding)
        row.votes = int(session.scalar(total) or 0)
        session.flush()
        return _view(session, row)


def _check_text(what: str, text: str, most: int) -> None:
    if not text.strip():
        raise InputError(f"the {what} is empty", code="empty_text")
    if len(text) > most:
        raise InputError(
            f"the {what} has {len(text):,} characters, {most:,} are allowed; nothing was stored",
            code="too_long",
            hint="split it into several findings, or put the long part into a snapshot",
        )


def _visible(session: Session, who: Identity, table: type[Any], id_: int | str) -> Any:
    """The row, if it exists and this identity's study may see it; else NotFound, without telling which."""
    row = session.get(table, id_)
    if row is None or (who.study and row.study != who.study):
        raise NotFound(f"no {table.__name__.lower()} {id_}")
    return row


def _view(session: Session, row: Finding) -> FindingView:
    query = sa.select(Submission.state, Submission.researcher).where(Submission.id.in_(row.runs))
    runs = session.execute(query).tuples().all() if row.runs else []
    # somebody else's run verifies that one's figure, not what is said here
    standing: Standing = "verified" if runs and set(runs) == {("verified", row.researcher)} else "unverified"
    if row.marked_by or any(state == "disqualified" for state, _ in runs):
        standing = "disqualified"
    return FindingView(
        id=row.id, kind=row.kind, title=row.title, body=row.body, researcher=row.researcher, study=row.study,
        standing=standing, runs=list(row.runs), builds_on=links.parents_of(session, links.node("finding", row.id)),
        votes=row.votes, comments=row.comments, created=row.created,
    )  # fmt: skip
