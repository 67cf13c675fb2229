"""What the gate remembers: one append-only log per label set, and the state it adds up to.

Ladders, budgets and the near-duplicate index are all folded from the log, so a restart, or another process, comes to
the same state, and "charge and record" is one atomic append. Knows no labels and no rules. Entries hold exact
accuracies: a store must keep them sealed from researchers.
"""

from __future__ import annotations

import threading
from bisect import bisect_right, insort
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Literal, Protocol

from aar.errors import LabError
from aar.scoring.ladder import Ladder
from aar.scoring.near import VectorIndex

Lane = Literal["interactive", "verified", "screening"]


@dataclass(frozen=True)
class Entry:
    """One answered query. `bits`: the packed vector; `rows`: fingerprint of the ids it was aligned to."""

    seq: int  # 0, 1, 2, ... within the label set
    at: float  # seconds since the epoch
    lane: Lane
    researcher: str
    team: str
    problem: str
    rows: str
    n: int
    bits: bytes
    accuracy: float  # exact, or the reused one of a near-duplicate; sealed
    paid: bool
    like: int | None  # seq of the paid vector this one nearly copies
    distance: float | None  # Hamming distance to it (or to its complement), as a share of n
    complement: bool
    improved: bool
    ladder: int  # which of the label set's Ladders answered, and its state afterwards
    floor: float
    step: float
    level: int


class GateStore(Protocol):
    """Two operations. With SQL: a table with the unique key (label_set, seq)."""

    def entries(self, label_set: str, after: int) -> list[Entry]:
        """The entries with seq >= `after`, in order of seq."""
        ...

    def append(self, label_set: str, entry: Entry) -> bool:
        """Add the entry, durably, if its seq is still free; False, and nothing added, when another came first."""
        ...


class MemoryGateStore:
    """For tests and simulations; safe among threads, gone with the process."""

    def __init__(self) -> None:
        self._logs: dict[str, list[Entry]] = defaultdict(list)
        self._lock = threading.Lock()

    def entries(self, label_set: str, after: int) -> list[Entry]:
        with self._lock:
            return self._logs[label_set][after:]

    def append(self, label_set: str, entry: Entry) -> bool:
        with self._lock:
            log = self._logs[label_set]
            if entry.seq != len(log):
                return False
            log.append(entry)
            return True


@dataclass
class Seat:
    """One Ladder and who stands on it."""

    ladder: Ladder
    problem: str
    members: set[str] = field(default_factory=set)
    teams: set[str] = field(default_factory=set)


class LabelSetState:
    """The log of one label set, folded. Not thread-safe: its holder locks."""

    def __init__(self, label_set: str) -> None:
        self.label_set = label_set
        self._empty()

    def _empty(self) -> None:
        self.last: Entry | None = None
        self.seats: list[Seat] = []
        self.seat_of: dict[tuple[str, str], int] = {}  # (researcher, problem) -> seat
        self.paid: Counter[str] = Counter()  # in order of first appearance
        self.times: dict[tuple[str, bool], list[float]] = defaultdict(list)  # (researcher, paid) -> when
        self._vectors: dict[str, VectorIndex] = {}
        self._sources: dict[str, list[Entry]] = defaultdict(list)  # paid entries, as in the index

    @property
    def size(self) -> int:
        return self.last.seq + 1 if self.last else 0

    def catch_up(self, store: GateStore) -> None:
        """Fold what this or another process has appended since; start afresh where an append was rolled back."""
        news = store.entries(self.label_set, max(self.size - 1, 0))
        if self.last and news[:1] != [self.last]:
            self._empty()
            news = store.entries(self.label_set, 0)
        elif self.last:
            news = news[1:]
        for entry in news:
            if entry.seq != self.size:
                raise LabError(f"the gate's log of {self.label_set} has a hole before {entry.seq}", code="broken_log")
            self._apply(entry)

    def vectors(self, rows: str, n: int) -> VectorIndex:
        """The paid vectors on exactly these rows."""
        return self._vectors.setdefault(rows, VectorIndex(n))

    def source(self, rows: str, index: int) -> Entry:
        return self._sources[rows][index]

    def total_paid(self) -> int:
        return sum(self.paid.values())

    def since(self, researcher: str, paid: bool, start: float) -> int:
        """How many paid (or free) queries this researcher has had since `start`."""
        times = self.times[researcher, paid]
        return len(times) - bisect_right(times, start)

    def _apply(self, entry: Entry) -> None:
        state = Ladder(entry.floor, entry.step, entry.level)
        if entry.ladder == len(self.seats):
            self.seats.append(Seat(state, entry.problem))
        seat = self.seats[entry.ladder]
        seat.ladder = state
        seat.members.add(entry.researcher)
        seat.teams.add(entry.team)
        self.seat_of[entry.researcher, entry.problem] = entry.ladder
        insort(self.times[entry.researcher, entry.paid], entry.at)  # clocks of two processes may disagree
        self.paid[entry.researcher] += entry.paid
        if entry.paid:
            self.vectors(entry.rows, entry.n).add(entry.bits)
            self._sources[entry.rows].append(entry)
        self.last = entry
