"""The gate's memory in the lab's database: the contracts of `aar.scoring.gatelog` and `aar.scoring.labelsets`.

One row an answered query; appending is one insert under the key (label set, number), so that "charge and record"
happens once, in the transaction that also keeps the answer. Knows no rule.
"""

from __future__ import annotations

from dataclasses import asdict, fields

import sqlalchemy as sa

from aar.lab.store import Store
from aar.lab.tables import Evaluation, LabelSetRow, LabelSetSighting
from aar.scoring.gatelog import Entry
from aar.scoring.labelsets import Sighting

COLUMNS = [field.name for field in fields(Entry)]


class SqlGateStore:
    """`Gate(SqlGateStore(store))`."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def entries(self, label_set: str, after: int) -> list[Entry]:
        """The entries with seq >= `after`, in order of seq."""
        columns = [getattr(Evaluation, name) for name in COLUMNS]
        query = sa.select(*columns).where(Evaluation.label_set == label_set, Evaluation.seq >= after)
        with self.store.reading() as session:
            return [Entry(*row) for row in session.execute(query.order_by(Evaluation.seq))]

    def append(self, label_set: str, entry: Entry) -> bool:
        """Add the entry if its seq is still free. On disk when the outermost transaction returns."""
        with self.store.transaction() as session:
            if session.get(Evaluation, (label_set, entry.seq)) is not None:
                return False
            session.add(Evaluation(label_set=label_set, **asdict(entry)))
            session.flush()
            return True


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
        with self.store.transaction() as session:
            session.merge(LabelSetSighting(label_set=sighting.label_set, study=sighting.study, who=sighting.who))
