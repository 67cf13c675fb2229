"""Reviews: a person approves, disqualifies or reinstates a submission, with a reason; a disqualification marks all that
builds on it, until somebody takes it back. Reviewers can disagree: the last decision holds, and the dispute shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from aar.errors import Conflict, InputError, NotFound
from aar.lab import events, links
from aar.lab.services import Lab
from aar.lab.tables import DECISIONS, Review, Submission
from aar.lab.tokens import Identity

DECIDABLE = ("pending_review", "verified", "disqualified")


@dataclass(frozen=True)
class ReviewView:
    id: int
    submission: int
    reviewer: str
    decision: str
    reason: str
    created: str


@dataclass(frozen=True)
class Pending:
    """A submission and what persons said of it. `evidence`: what the checks found. `disputed`: by their last word,
    some reviewers want it on the board and others do not."""

    submission: int
    problem: str
    method: str
    researcher: str
    snapshot: str
    state: str
    evidence: Any
    reviews: list[ReviewView]
    disputed: bool


def decide(lab: Lab, who: Identity, submission: int, decision: str, reason: str) -> ReviewView:
    """Approve or disqualify a submission that has a verdict, or reinstate a disqualified one. The last decision holds."""
    if decision not in DECISIONS:
        raise InputError(f"no decision {decision!r}", hint=f"known: {', '.join(DECISIONS)}")
    if not reason.strip():
        raise InputError("a decision needs a reason", code="empty_text")
    with lab.store.transaction() as session:
        row = session.get(Submission, submission)
        if row is None:
            raise NotFound(f"no submission {submission}")
        if row.state not in DECIDABLE:
            raise Conflict(f"submission {submission} is {row.state}", hint="a person decides once there is a verdict")
        if decision == "reinstate" and row.state != "disqualified":
            raise Conflict(f"submission {submission} is {row.state}", hint="only a disqualified one can be reinstated")
        row.state = "disqualified" if decision == "disqualify" else "verified"
        made = Review(submission=submission, reviewer=who.name, decision=decision, reason=reason)
        session.add(made)
        links.remark(session)
        lab.store.record(who.name, f"review.{decision}", submission=submission, reason=reason)
        told = {"id": submission, "state": row.state, "problem": row.problem, "method": row.method}
        events.publish(lab.store, "submission", told | {"researcher": row.researcher}, row.study)
        return _view(made)


def listed(lab: Lab, state: str = "pending_review") -> list[Pending]:
    """Submissions in this state with what was found and decided, oldest first."""
    query = sa.select(Submission).where(Submission.state == state).order_by(Submission.id).limit(500)
    with lab.store.reading() as session:
        rows = []
        for s in session.scalars(query):
            made = session.scalars(sa.select(Review).where(Review.submission == s.id).order_by(Review.id))
            found = (s.verdict or {}).get("evidence")
            views = [_view(r) for r in made]
            disputed = len(set({view.reviewer: view.decision == "disqualify" for view in views}.values())) > 1
            rows.append(Pending(s.id, s.problem, s.method, s.researcher, s.snapshot, s.state, found, views, disputed))
        return rows


def _view(row: Review) -> ReviewView:
    return ReviewView(row.id, row.submission, row.reviewer, row.decision, row.reason, row.created)
