"""What all tables share: the legal values, the base class, constraint names, the clock. Holds no table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, CheckConstraint, Double, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase

SCOPES = ("researcher", "reviewer", "owner")
SUBMISSION_STATES = ("queued", "running", "verified", "failed", "pending_review", "disqualified")
FAULTS = ("you", "method", "lab", "provider")
FINDING_KINDS = ("result", "hypothesis", "insight", "error", "observation")
DECISIONS = ("approve", "disqualify", "reinstate")
BASELINE_KINDS = ("floor", "ceiling", "baseline", "human")

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


# SQLite's integers have 64 bits whatever they are called; only this name counts up by itself there.
INT = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {dict[str, Any]: JSON, list[Any]: JSON, float: Double, int: INT}
    metadata = MetaData(naming_convention=NAMES)


def now() -> str:
    """The current UTC time as this lab writes it."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{v}'" for v in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")
