"""The queue of submissions: workers claim, keep alive, finish. Every change is durable and happens once.

A claim is a lease: a worker that dies loses it, and the submission goes to another, at most three times. A
worker that comes back after its lease went to another cannot finish. Does not run anything itself.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aar.errors import BudgetSpent, Conflict, NotFound
from aar.lab import events, links
from aar.lab.services import Lab
from aar.lab.store import Store
from aar.lab.tables import Run, Snapshot, Submission, now
from aar.lab.tokens import Identity

LEASE_S = 60.0
MAX_TRIES = 3
MAX_WAITING = 5
Fault = Literal["you", "method", "lab", "provider"]


@dataclass(frozen=True)
class Job:
    """A claimed submission. `lease` proves the claim."""

    id: int
    lease: str
    problem: str
    method: str
    snapshot: str
    researcher: str
    study: str | None
    claimed: float | None
    tries: int


@dataclass(frozen=True)
class SeedRun:
    """One seed of a rerun; exact figures, the owner's alone."""

    seed: int
    accuracy: float | None = None
    pgr: float | None = None
    seconds: float | None = None
    details: dict[str, Any] | None = None


def enqueue(
    lab: Lab, who: Identity, problem: str, method: str, snapshot: str, claimed: float | None = None
) -> Submission:
    """Put a stored snapshot in the queue. BudgetSpent if this researcher has too many waiting."""
    study, problem = lab.study_of(who), lab.problem(problem).name
    with lab.store.transaction() as session:
        code = session.get(Snapshot, snapshot)
        if code is None or (who.study and code.study != who.study):
            raise NotFound(f"no snapshot {snapshot[:60]}", hint="GET /api/v1/snapshots lists them")
        mine = sa.and_(Submission.researcher == who.name, Submission.state.in_(("queued", "running")))
        if (session.scalar(sa.select(sa.func.count()).where(mine)) or 0) >= MAX_WAITING:
            raise BudgetSpent(
                f"{MAX_WAITING} of your submissions are waiting already", code="queue_full", hint="wait for a verdict"
            )
        row = Submission(
            study=study, researcher=who.name, problem=problem, method=method, snapshot=snapshot, claimed=claimed
        )
        session.add(row)
        session.flush()
        links.add(session, links.node("submission", row.id), [links.node("snapshot", snapshot)])
        lab.store.record(who.name, "submission.queue", id=row.id, problem=problem, snapshot=snapshot, claimed=claimed)
        _tell(lab.store, row)
        return row


def unsettled(store: Store) -> int:
    """How many submissions wait for a worker or have one."""
    with store.reading() as session:
        waiting = Submission.state.in_(("queued", "running"))
        return session.scalar(sa.select(sa.func.count()).select_from(Submission).where(waiting)) or 0


def claim(store: Store, worker: str, lease_s: float = LEASE_S) -> Job | None:
    """The oldest waiting submission, or one whose worker died; None if there is none."""
    with store.transaction() as session:
        _expire(store, session)
        waiting = sa.select(Submission).where(Submission.state == "queued").order_by(Submission.id).limit(1)
        row = session.scalars(waiting.with_for_update(skip_locked=True)).first()
        if row is None:
            return None
        row.state, row.worker, row.lease, row.tries = "running", worker, secrets.token_hex(8), row.tries + 1
        row.lease_until, row.started = _in(lease_s), now()
        store.record(worker, "submission.claim", id=row.id, attempt=row.tries)
        _tell(store, row)
        return Job(
            row.id, row.lease, row.problem, row.method, row.snapshot, row.researcher, row.study, row.claimed, row.tries
        )


def heartbeat(store: Store, job: Job, lease_s: float = LEASE_S) -> None:
    """Keep the lease. Conflict if it is lost: stop working on it."""
    with store.transaction() as session:
        _held(session, job).lease_until = _in(lease_s)


def finish(
    store: Store,
    job: Job,
    exact: dict[str, Any],
    public: dict[str, Any],
    runs: list[SeedRun] | None = None,
    *,
    review: bool = False,
    board: str | None = None,
) -> None:
    """The verdict: `exact` for the owner, `public` through the gate, a row a seed. `review`: a person decides first."""
    with store.transaction() as session:
        row = _held(session, job)
        row.verdict, row.public, row.board = exact, public, board
        session.add_all(
            Run(
                submission=row.id,
                seed=r.seed,
                accuracy=r.accuracy,
                pgr=r.pgr,
                seconds=r.seconds,
                details=r.details or {},
            )
            for r in runs or []
        )
        _close(store, row, "pending_review" if review else "verified", job.lease)


def fail(store: Store, job: Job, fault: Fault, code: str, message: str, exact: dict[str, Any] | None = None) -> None:
    """No verdict, and whose fault that is. `message` is shown to the researcher; logs belong in `exact`."""
    with store.transaction() as session:
        row = _held(session, job)
        row.fault, row.code, row.message, row.verdict = fault, code, message, exact
        _close(store, row, "failed", job.lease)


def hand_back(store: Store, job: Job) -> None:
    """The lab cannot run it now, for no reason that lies in it: back to the queue, and not counted as a try."""
    with store.transaction() as session:
        row = _held(session, job)
        row.state, row.tries = "queued", row.tries - 1
        store.record(row.worker or "lab", "submission.hand_back", id=row.id)
        _tell(store, row)


def requeue(store: Store, submission: int, actor: str) -> None:
    """Run a failed submission once more (an owner's act)."""
    with store.transaction() as session:
        row = session.get(Submission, submission)
        if row is None:
            raise NotFound(f"no submission {submission}")
        if row.state != "failed":
            raise Conflict(f"submission {submission} is {row.state}", hint="only a failed one can be queued again")
        row.state, row.tries, row.fault, row.code, row.message, row.finished = "queued", 0, None, None, None, None
        store.record(actor, "submission.requeue", id=submission)
        _tell(store, row)


def release(store: Store, worker: str) -> None:
    """This worker is dead: what it held need not wait for its lease to run out."""
    with store.transaction() as session:
        held = sa.select(Submission).where(Submission.state == "running", Submission.worker == worker)
        for row in session.scalars(held):
            row.lease_until = ""
        session.flush()
        _expire(store, session)


def _expire(store: Store, session: Session) -> None:
    dead = sa.select(Submission).where(Submission.state == "running", Submission.lease_until < now())
    for row in session.scalars(dead.with_for_update(skip_locked=True)).all():
        if row.tries < MAX_TRIES:
            row.state = "queued"
            store.record("lab", "submission.lease_lost", id=row.id, worker=row.worker)
            _tell(store, row)
        else:
            row.fault, row.code = "lab", "worker_lost"
            row.message = f"the lab's worker died {MAX_TRIES} times while running this; the owner can queue it again"
            _close(store, row, "failed", None)
    session.flush()


def _held(session: Session, job: Job) -> Submission:
    row = session.get(Submission, job.id)
    if row is None or row.state != "running" or row.lease != job.lease:
        raise Conflict(f"submission {job.id} is no longer yours", code="lease_lost", hint="drop this result")
    return row


def _close(store: Store, row: Submission, state: str, lease: str | None) -> None:
    row.state, row.finished, row.lease_until = state, now(), None
    store.record(row.worker or "lab", f"submission.{state}", id=row.id, lease=lease, fault=row.fault, code=row.code)
    _tell(store, row)


def _tell(store: Store, row: Submission) -> None:
    told = {
        "id": row.id,
        "state": row.state,
        "problem": row.problem,
        "method": row.method,
        "researcher": row.researcher,
    }
    events.publish(store, "submission", told, row.study)


def _in(seconds: float) -> str:
    later = datetime.now(UTC) + timedelta(seconds=seconds)
    return later.isoformat(timespec="microseconds").replace("+00:00", "Z")
