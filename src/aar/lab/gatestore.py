"""The gate's memory in the lab's database: the contracts of `aar.scoring.gatelog` and `aar.scoring.labelsets`.

One row an answered query; appending is one insert under the key (label set, number), so that "charge and record"
happens once, in the transaction that also keeps the answer. Knows no rule.
"""

from __future__ import annotations

from dataclasses import fields

import sqlalchemy as sa

from aar.lab.store import Store
from aar.lab.tables import Evaluation, LabelSetRow, LabelSetSighting
from aar.scoring.gatelog import Entry
from aar.scoring.labelsets import Sighting

TABLE = Evaluation.__table__
ENTRIES = (
    sa.select(*(TABLE.c[field.name] for field in fields(Entry)))
    .where(TABLE.c.label_set == sa.bindparam("label_set"), TABLE.c.seq >= sa.bindparam("after"))
    .order_by(TABLE.c.seq)
)


class SqlGateStore:
    """`Gate(SqlGateStore(store))`."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def entries(self, label_set: str, after: int) -> list[Entry]:
        """The entries with seq >= `after`, in order of seq."""
        with self.store.reading() as session:
            found = session.connection().execute(ENTRIES, {"label_set": label_set, "after": after})
            return [Entry(*row) for row in found]

    def append(self, label_set: str, entry: Entry) -> bool:
        """Add the entry if its seq is still free. On disk when the outermost transaction returns."""
        return self.store.insert(Evaluation, label_set=label_set, **vars(entry))


class SqlLabelSets:
    """Which rows a label set has, and who has had answers about it."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def rows(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        with self.store.reading() as session:
            for name, row in session.execute(sa.select(LabelSetRow.label_set, LabelSetRow.row)):
                found.setdefault(name, set()).add(row)
        return {name: frozenset(rows) for name, rows in found.items()}

    def add_rows(self, label_set: str, rows: frozenset[str]) -> None:
        with self.store.transaction() as session:
            known = set(session.scalars(sa.select(LabelSetRow.row).where(LabelSetRow.label_set == label_set)))
            session.add_all(LabelSetRow(label_set=label_set, row=row) for row in sorted(rows - known))

    def sightings(self, label_set: str) -> frozenset[Sighting]:
        query = sa.select(LabelSetSighting).where(LabelSetSighting.label_set == label_set)
        with self.store.reading() as session:
            return frozenset(Sighting(s.label_set, s.study, s.who) for s in session.scalars(query))

    def add_sighting(self, sighting: Sighting) -> None:
        self.store.insert(LabelSetSighting, **vars(sighting))
