"""The lab's tables. Says what is stored and which values are legal; `store.py` opens it, `migrations/` builds it.

Times are UTC in ISO 8601 with microseconds and a `Z`, so that text order is time order. Columns marked "owner"
never leave through a researcher's route. Nothing here knows a gold label.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from aar.lab.schema import (
    BASELINE_KINDS,
    DECISIONS,
    FAULTS,
    FINDING_KINDS,
    SCOPES,
    SUBMISSION_STATES,
    Base,
    now,
    one_of,
)  # fmt: skip


class Study(Base):
    """A team of researchers at work on one problem."""

    __tablename__ = "studies"
    name: Mapped[str] = mapped_column(primary_key=True)
    problem: Mapped[str]
    state: Mapped[str] = mapped_column(default="open")
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created: Mapped[str] = mapped_column(default=now)
    stopped: Mapped[str | None]
    __table_args__ = (one_of("state", ("open", "stopped", "finalized")),)


class Researcher(Base):
    __tablename__ = "researchers"
    name: Mapped[str] = mapped_column(primary_key=True)
    study: Mapped[str | None] = mapped_column(ForeignKey("studies.name"), index=True)
    direction: Mapped[str] = mapped_column(default="")
    kind: Mapped[str] = mapped_column(default="external")
    created: Mapped[str] = mapped_column(default=now)


class Token(Base):
    """`id` is the token's public half; of the secret half only a hash is kept."""

    __tablename__ = "tokens"
    id: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[str]
    name: Mapped[str]
    scope: Mapped[str]
    study: Mapped[str | None] = mapped_column(ForeignKey("studies.name"))
    researcher: Mapped[str | None] = mapped_column(ForeignKey("researchers.name"), index=True)
    created: Mapped[str] = mapped_column(default=now)
    revoked: Mapped[str | None]
    __table_args__ = (
        one_of("scope", SCOPES),
        CheckConstraint("(scope = 'researcher') = (researcher IS NOT NULL)", name="researcher_set"),
    )


class LabelSetRow(Base):
    """Which rows, by fingerprint, belong to a label set; see `aar.scoring.labelsets`."""

    __tablename__ = "label_set_rows"
    label_set: Mapped[str] = mapped_column(primary_key=True)
    row: Mapped[str] = mapped_column(primary_key=True)


class LabelSetSighting(Base):
    """Who has had an answer that depended on a label set, in which study ("" for none)."""

    __tablename__ = "label_set_sightings"
    label_set: Mapped[str] = mapped_column(primary_key=True)
    study: Mapped[str] = mapped_column(primary_key=True)
    who: Mapped[str] = mapped_column(primary_key=True)


class Evaluation(Base):
    """One answered vector: the columns of `aar.scoring.gatelog.Entry`. Budgets, Ladders and the near-duplicate
    index are folded from these rows, so there is no second place that says what was spent. The owner's alone."""

    __tablename__ = "evaluations"
    label_set: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[float]
    lane: Mapped[str]
    researcher: Mapped[str] = mapped_column(index=True)
    team: Mapped[str]
    problem: Mapped[str]
    rows: Mapped[str]
    n: Mapped[int]
    bits: Mapped[bytes]
    accuracy: Mapped[float]
    paid: Mapped[bool]
    like: Mapped[int | None]
    distance: Mapped[float | None]
    complement: Mapped[bool]
    improved: Mapped[bool]
    ladder: Mapped[int]
    floor: Mapped[float]
    step: Mapped[float]
    level: Mapped[int]


class Attempt(Base):
    """Every call that asked for a score, also those that were refused: the alarms read this."""

    __tablename__ = "attempts"
    id: Mapped[int] = mapped_column(primary_key=True)
    researcher: Mapped[str]
    problem: Mapped[str]
    outcome: Mapped[str]
    detail: Mapped[str] = mapped_column(default="")
    created: Mapped[str] = mapped_column(default=now)
    __table_args__ = (Index(None, "researcher", "created"), {"sqlite_autoincrement": True})


class IdempotencyKey(Base):
    """The answer that was given under a key: the same body gets it again, another body is a conflict."""

    __tablename__ = "idempotency_keys"
    owner: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_hash: Mapped[str]
    status: Mapped[int]
    answer: Mapped[dict[str, Any]]
    created: Mapped[str] = mapped_column(default=now)


class Snapshot(Base):
    """A version in the code store; `id` is its commit there."""

    __tablename__ = "snapshots"
    id: Mapped[str] = mapped_column(primary_key=True)
    tree: Mapped[str] = mapped_column(index=True)
    study: Mapped[str | None] = mapped_column(index=True)
    researcher: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    files: Mapped[int]
    bytes: Mapped[int]
    marked_by: Mapped[int | None]  # a disqualified submission it builds on
    created: Mapped[str] = mapped_column(default=now)


class Submission(Base):
    __tablename__ = "submissions"
    id: Mapped[int] = mapped_column(primary_key=True)
    study: Mapped[str | None] = mapped_column(index=True)
    researcher: Mapped[str] = mapped_column(index=True)
    problem: Mapped[str]
    method: Mapped[str]
    snapshot: Mapped[str] = mapped_column(ForeignKey("snapshots.id"))
    claimed: Mapped[float | None]
    state: Mapped[str] = mapped_column(default="queued")
    fault: Mapped[str | None]
    code: Mapped[str | None]
    message: Mapped[str | None]
    public: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    verdict: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # owner
    board: Mapped[str | None]  # teacher dependence, once measured
    worker: Mapped[str | None]
    lease: Mapped[str | None]
    lease_until: Mapped[str | None]
    tries: Mapped[int] = mapped_column(default=0)
    created: Mapped[str] = mapped_column(default=now)
    started: Mapped[str | None]
    finished: Mapped[str | None]
    __table_args__ = (
        one_of("state", SUBMISSION_STATES),
        one_of("fault", FAULTS),
        Index(None, "state", "created"),
        Index(None, "problem", "state"),
        {"sqlite_autoincrement": True},
    )


class Run(Base):
    """One seed of one rerun: the owner's alone."""

    __tablename__ = "runs"
    id: Mapped[int] = mapped_column(primary_key=True)
    submission: Mapped[int] = mapped_column(ForeignKey("submissions.id"))
    seed: Mapped[int]
    state: Mapped[str] = mapped_column(default="done")
    accuracy: Mapped[float | None]
    pgr: Mapped[float | None]
    seconds: Mapped[float | None]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created: Mapped[str] = mapped_column(default=now)
    __table_args__ = (UniqueConstraint("submission", "seed"), {"sqlite_autoincrement": True})


class Finding(Base):
    """A forum post. `runs`: the submissions it claims as its evidence; none means "unverified"."""

    __tablename__ = "findings"
    id: Mapped[int] = mapped_column(primary_key=True)
    study: Mapped[str | None] = mapped_column(index=True)
    researcher: Mapped[str]
    kind: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    runs: Mapped[list[Any]] = mapped_column(default=list)
    votes: Mapped[int] = mapped_column(default=0)
    comments: Mapped[int] = mapped_column(default=0)
    marked_by: Mapped[int | None] = mapped_column(ForeignKey("submissions.id"))
    created: Mapped[str] = mapped_column(default=now)
    __table_args__ = (one_of("kind", FINDING_KINDS), {"sqlite_autoincrement": True})


class Comment(Base):
    __tablename__ = "comments"
    id: Mapped[int] = mapped_column(primary_key=True)
    finding: Mapped[int] = mapped_column(ForeignKey("findings.id"), index=True)
    researcher: Mapped[str]
    body: Mapped[str]
    created: Mapped[str] = mapped_column(default=now)
    __table_args__ = ({"sqlite_autoincrement": True},)


class Vote(Base):
    __tablename__ = "votes"
    finding: Mapped[int] = mapped_column(ForeignKey("findings.id"), primary_key=True)
    researcher: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]
    created: Mapped[str] = mapped_column(default=now)
    __table_args__ = (CheckConstraint("value IN (-1, 1)", name="value_known"),)


class Link(Base):
    """`child` builds on `parent`; both are written "submission:7", "snapshot:<id>" or "finding:12"."""

    __tablename__ = "links"
    child: Mapped[str] = mapped_column(primary_key=True)
    parent: Mapped[str] = mapped_column(primary_key=True, index=True)


class Review(Base):
    __tablename__ = "reviews"
    id: Mapped[int] = mapped_column(primary_key=True)
    submission: Mapped[int] = mapped_column(ForeignKey("submissions.id"), index=True)
    reviewer: Mapped[str]
    decision: Mapped[str]
    reason: Mapped[str]
    created: Mapped[str] = mapped_column(default=now)
    __table_args__ = (one_of("decision", DECISIONS), {"sqlite_autoincrement": True})


class Charge(Base):
    """A ledger line. `ref` makes a charge countable once, however often it is reported."""

    __tablename__ = "ledger"
    id: Mapped[int] = mapped_column(primary_key=True)
    study: Mapped[str | None] = mapped_column(index=True)
    researcher: Mapped[str | None] = mapped_column(index=True)
    kind: Mapped[str]
    tokens_in: Mapped[int] = mapped_column(default=0)
    tokens_out: Mapped[int] = mapped_column(default=0)
    usd: Mapped[float] = mapped_column(default=0.0)
    hours: Mapped[float] = mapped_column(default=0.0)
    note: Mapped[str] = mapped_column(default="")
    ref: Mapped[str | None] = mapped_column(unique=True)
    created: Mapped[str] = mapped_column(default=now)
    __table_args__ = ({"sqlite_autoincrement": True},)


class Event(Base):
    """What happened, in order of `id`. `audience`: "all", "owner", or the one researcher who may see it."""

    __tablename__ = "events"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    study: Mapped[str | None]
    audience: Mapped[str] = mapped_column(default="all")
    body: Mapped[dict[str, Any]]
    created: Mapped[str] = mapped_column(default=now)
    __table_args__ = ({"sqlite_autoincrement": True},)


class AuditEntry(Base):
    """Committed together with the act it tells of, then copied in order into the hash-chained log (`audit.py`)."""

    __tablename__ = "audit_entries"
    id: Mapped[int] = mapped_column(primary_key=True)
    actor: Mapped[str]
    action: Mapped[str]
    body: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created: Mapped[str] = mapped_column(default=now)
    __table_args__ = ({"sqlite_autoincrement": True},)


class Baseline(Base):
    """A board row that no researcher submitted: floor, ceiling, published baselines, people."""

    __tablename__ = "baselines"
    problem: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    accuracy: Mapped[float | None]
    pgr: Mapped[float | None]
    se: Mapped[float | None]
    seeds: Mapped[int] = mapped_column(default=0)
    note: Mapped[str] = mapped_column(default="")
    created: Mapped[str] = mapped_column(default=now)
    __table_args__ = (one_of("kind", BASELINE_KINDS),)
