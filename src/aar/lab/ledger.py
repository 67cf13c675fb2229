"""The ledger: what was spent on what, in tokens, dollars and hours, per researcher and study. Adds up, judges nothing."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from aar.errors import InputError
from aar.lab.store import Store
from aar.lab.tables import Charge


@dataclass(frozen=True)
class Totals:
    """Sums of a group of charges; `hours` of wall clock, those of kind "cpu" and "gpu" beside them."""

    study: str | None
    researcher: str | None
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    hours: float = 0.0
    cpu_hours: float = 0.0
    gpu_hours: float = 0.0
    charges: int = 0


def charge(
    store: Store,
    kind: str,
    *,
    study: str | None = None,
    researcher: str | None = None,
    tokens_in: int = 0,
    tokens_out: int = 0,
    usd: float = 0.0,
    hours: float = 0.0,
    note: str = "",
    ref: str | None = None,
) -> int:
    """Append a charge and give its id. The same `ref` is counted once: a repeat gives the first one's id."""
    amounts = (tokens_in, tokens_out, usd, hours)
    if not all(0 <= a < 2**53 for a in amounts):
        raise InputError("a charge cannot be negative or infinite", code="bad_charge")
    with store.transaction() as session:
        if ref and (known := session.scalar(sa.select(Charge.id).where(Charge.ref == ref))) is not None:
            return known
        row = Charge(kind=kind, study=study, researcher=researcher, note=note, ref=ref)
        row.tokens_in, row.tokens_out, row.usd, row.hours = amounts
        session.add(row)
        session.flush()
        return row.id


def totals(store: Store, study: str | None = None, researcher: str | None = None) -> list[Totals]:
    """One line per study and researcher, those of one study or one researcher if named."""
    sums = [sa.func.sum(c).label(c.key) for c in (Charge.tokens_in, Charge.tokens_out, Charge.usd)]
    for kind, name in (("cpu", "cpu_hours"), ("gpu", "gpu_hours")):
        sums.append(sa.func.sum(sa.case((Charge.kind == kind, Charge.hours), else_=0.0)).label(name))
    sums.append(sa.func.sum(sa.case((Charge.kind.in_(("cpu", "gpu")), 0.0), else_=Charge.hours)).label("hours"))
    query = sa.select(Charge.study, Charge.researcher, *sums, sa.func.count().label("charges"))
    query = query.group_by(Charge.study, Charge.researcher)
    if study is not None:
        query = query.where(Charge.study == study)
    if researcher is not None:
        query = query.where(Charge.researcher == researcher)
    with store.reading() as session:
        rows = session.execute(query.order_by(Charge.study, Charge.researcher))
        return [Totals(**row) for row in rows.mappings()]
