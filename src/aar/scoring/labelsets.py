"""Which testbeds hold the same labelled rows, and who has asked about them.

A label set is known by what its rows say, not by names, ids or order: copies, reshuffles, pairs turned round and
partial copies come out as one set and so share one budget. Knows no label. Fingerprints are of row contents; keep them
with the sealed files all the same.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from aar.errors import Conflict, InputError
from aar.types import Pair, Text

OVERLAP = 0.5  # of the smaller set; above it two sets are one


@dataclass(frozen=True)
class Sighting:
    """`who` (a researcher) had answers that depended on a label set, in this study."""

    label_set: str
    study: str
    who: str


class LabelSetStore(Protocol):
    """Two growing sets. With SQL: (label_set, row) and (label_set, study, who), each unique; adding twice is fine."""

    def rows(self) -> dict[str, frozenset[str]]:
        """label set -> fingerprints of its rows."""
        ...

    def add_rows(self, label_set: str, rows: frozenset[str]) -> None: ...
    def sightings(self, label_set: str) -> frozenset[Sighting]: ...
    def add_sighting(self, sighting: Sighting) -> None: ...


class MemoryLabelSets:
    """For tests and simulations."""

    def __init__(self) -> None:
        self._rows: dict[str, frozenset[str]] = {}
        self._seen: dict[str, frozenset[Sighting]] = defaultdict(frozenset)

    def rows(self) -> dict[str, frozenset[str]]:
        return dict(self._rows)

    def add_rows(self, label_set: str, rows: frozenset[str]) -> None:
        self._rows[label_set] = self._rows.get(label_set, frozenset()) | rows

    def sightings(self, label_set: str) -> frozenset[Sighting]:
        return self._seen[label_set]

    def add_sighting(self, sighting: Sighting) -> None:
        self._seen[sighting.label_set] |= {sighting}


def row_print(text: Text) -> str:
    """Fingerprint of one row. A pair turned round is the same row (its label is too, turned round); case and
    spacing do not count."""
    head, *tail = (" ".join(part.casefold().split()) for part in text)
    kind = "pair" if isinstance(text, Pair) else "claim"
    return hashlib.sha256("\x00".join([kind, head, *sorted(tail)]).encode()).hexdigest()[:24]


def register(store: LabelSetStore, rows: Sequence[Text]) -> str:
    """The id of the label set that these rows belong to: a known one when more than half of the smaller set is
    shared (what is new then joins it), else a new one. Conflict when two known sets would become one."""
    prints = frozenset(row_print(row) for row in rows)
    if not prints:
        raise InputError("a label set needs rows", code="no_rows")
    matches = [name for name, known in store.rows().items() if overlap(prints, known) > OVERLAP]
    if len(matches) > 1:
        raise Conflict(
            f"these rows join {len(matches)} label sets whose budgets are separate",
            code="joins_label_sets",
            hint="import them as separate testbeds, or draw other rows",
        )
    name = matches[0] if matches else hashlib.sha256("\n".join(sorted(prints)).encode()).hexdigest()[:16]
    store.add_rows(name, prints)
    return name


def overlap(a: frozenset[str], b: frozenset[str]) -> float:
    """Shared rows as a part of the smaller set."""
    return len(a & b) / max(1, min(len(a), len(b)))


def who_has_seen(store: LabelSetStore, label_set: str) -> list[str]:
    return sorted({s.who for s in store.sightings(label_set)})


def unseen(store: LabelSetStore, label_sets: Iterable[str]) -> list[str]:
    """Those that no researcher has had an answer about: fit for transfer scores in the final lane."""
    return [name for name in label_sets if not store.sightings(name)]
