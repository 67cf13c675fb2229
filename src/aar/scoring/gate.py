"""The gate: the one door through which anything about the interactive rows' labels leaves the lab.

Knows labels (handed in), rules and the log; knows no HTTP, database or idempotency keys. An answer is `improved`
with an accuracy on the Ladder's grid, or `not_improved` with nothing else; both take the same steps. A vector within
2 % Hamming distance of a paid one of anyone, or of its complement, reuses that one's accuracy, free of charge.

The budget is stricter than 500 paid vectors per label set, which do not hold (bench/gate.py, docs/bench/gate.json;
honest accuracy .68, floor .55, confidences even on .5 to .86). Researchers who park vectors just under their Ladder's
next step read every answer, told or not, as up to one bit; eight who pool what they learn gain 22 points at 400 rows
and 12 at 1,263 from the published budget, one alone 3.6 and 2.6. Where to park is theirs to choose, so a bigger step
is no cure; the gain grows with paid vectors per row (5 points at one per 10). Hence one per 15 interactive rows for
everybody together, one per 30 for one researcher, 500 at most: 26 and 13 at 400 rows, 84 and 42 at 1,263. Measured
gains then: eight 2.8 and 3.2 points (95 % bounds 3.2, 3.4), one 1.3 and 1.2 (1.6, 1.4). Nine researchers with 40
evaluations each need 5,400 rows. `PUBLISHED` is the rule without this limit, for who accepts the leak.

Not held: an attacker that is sure of some rows and tosses a coin on all others (8 points as eight, 5 alone), and
picking the luckiest of many seeds (3.4 points at 400 rows): that gain is only undone by a rerun on the server's seeds.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from aar.errors import BudgetSpent, InputError, LabError, Refused
from aar.scoring.gatelog import Entry, GateStore, LabelSetState, Lane, Seat
from aar.scoring.ladder import Ladder, step_for
from aar.scoring.metrics import Score, correctness, pgr, score_as_json
from aar.scoring.near import pack
from aar.types import NotScored

HOUR, DAY = 3600.0, 86400.0


@dataclass(frozen=True)
class GateRules:
    """What may be asked of one label set. Defaults: see the module's figures."""

    budget: int = 500  # paid vectors over the label set's lifetime, all studies and copies
    rows_per_paid: float = 15  # ... and at most one per this many interactive rows
    rows_per_own: float = 30  # the same for one researcher
    researchers: int = 10  # for how many a share is kept aside
    kept: float = 0.8  # part of the budget that is kept aside for them, in equal shares
    daily: int = 20  # paid vectors per researcher in any 24 hours
    ladders: int = 10  # per label set; researchers beyond share one by team
    near: float = 0.02  # Hamming distance, as a share of the rows
    free_per_hour: int = 60  # near-duplicates per researcher in any hour
    min_rows: int = 300  # under it there is no interactive lane

    def pool(self, n: int) -> int:
        """Paid vectors that a label set of n interactive rows affords in all."""
        return min(self.budget, int(n / self.rows_per_paid))

    def own(self, n: int) -> int:
        """The most that one researcher may have of them."""
        return min(self.budget, int(n / self.rows_per_own))

    def share(self, n: int) -> int:
        """What is kept for each of `researchers`, whatever the others spend."""
        return min(int(self.pool(n) * self.kept / self.researchers), self.own(n))


PUBLISHED = GateRules(rows_per_paid=1, rows_per_own=1)


@dataclass(frozen=True)
class Exam:
    """The interactive rows of one problem: ids in a fixed order, their gold labels [n] of 0 and 1, and the scale."""

    problem: str
    label_set: str
    ids: tuple[str, ...]
    gold: np.ndarray
    floor: float
    ceiling: float | None

    @cached_property
    def rows(self) -> str:
        """Fingerprint of the ids and their order."""
        return hashlib.sha256("\n".join(self.ids).encode()).hexdigest()[:16]

    @cached_property
    def id_set(self) -> frozenset[str]:
        return frozenset(self.ids)


@dataclass(frozen=True)
class GateAnswer:
    """All that a researcher hears. `error` (verified lane): one standard error, from n alone."""

    status: Literal["improved", "not_improved"]
    accuracy: float | None
    pgr: Score | None
    duplicate: bool
    budget_left: int
    error: float | None = None

    def as_json(self) -> dict[str, Any]:
        told = None if self.pgr is None else score_as_json(self.pgr)
        body = {
            "status": self.status,
            "pgr": told,
            "accuracy": self.accuracy,
            "duplicate": self.duplicate,
            "budget_left": self.budget_left,
        }
        return body if self.error is None else {**body, "error": self.error}


class Gate:
    """Answers for many label sets at once, from many threads; one lock and one log per label set."""

    def __init__(
        self, store: GateStore, rules: GateRules | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.store, self.rules, self.clock = store, rules or GateRules(), clock
        self._states: dict[str, tuple[threading.Lock, LabelSetState]] = {}
        self._opening = threading.Lock()

    def answer(self, exam: Exam, researcher: str, predictions: Mapping[str, float], team: str = "") -> GateAnswer:
        """One vector {id: 0/1 or P(label = 1)} in the interactive lane."""
        p = self._checked(exam, predictions)
        return _say(exam, *self._entered(exam, researcher, team, "interactive", p, _right(p, exam)))

    def answer_verified(
        self, exam: Exam, researcher: str, runs: Sequence[Mapping[str, float]], team: str = ""
    ) -> GateAnswer:
        """What a researcher hears of a rerun: the mean over its seeds through the same gate, grid and budget."""
        p = self._all_checked(exam, runs)
        said = _say(exam, *self._entered(exam, researcher, team, "verified", p.mean(axis=0), _right(p, exam)))
        return replace(said, error=round(0.5 / math.sqrt(len(exam.ids)), 4))

    def reaches(
        self, exam: Exam, researcher: str, runs: Sequence[Mapping[str, float]], bar: float, team: str = ""
    ) -> bool:
        """Whether the mean accuracy of a rerun's seeds is at least `bar`, for a lab whose next act lets the researcher
        see that. It is a bit about the labels, so it is paid and logged like an answer; the Ladder stays where it is."""
        p = self._all_checked(exam, runs)
        entry, _ = self._entered(exam, researcher, team, "screening", p.mean(axis=0), _right(p, exam))
        return entry.accuracy >= bar

    def budget_left(self, exam: Exam, researcher: str) -> int:
        """Paid vectors this researcher may still have now."""
        lock, state = self._state(exam.label_set)
        with lock:
            state.catch_up(self.store)
            return self._left(state, researcher, len(exam.ids), self.clock())

    def spent(self, exam: Exam) -> int:
        """Paid vectors so far on this label set, of everybody."""
        lock, state = self._state(exam.label_set)
        with lock:
            state.catch_up(self.store)
            return state.total_paid()

    def forget(self, label_set: str) -> None:
        """Fold the log anew at the next call: what was appended last was rolled back."""
        with self._opening:
            self._states.pop(label_set, None)

    def _checked(self, exam: Exam, predictions: Mapping[str, float]) -> np.ndarray:
        """p [n] in the exam's order; raises InputError naming the rule that is broken."""
        n = len(exam.ids)
        if n < self.rules.min_rows:
            raise InputError(
                f"{n} interactive rows are too few to answer queries about (the least is {self.rules.min_rows})",
                code="no_interactive_lane",
                hint="submit the method: verdicts are for the owner and the final lane",
            )
        return aligned(predictions, exam)

    def _all_checked(self, exam: Exam, runs: Sequence[Mapping[str, float]]) -> np.ndarray:
        """p [seeds, n]."""
        if not runs:
            raise InputError("a verdict needs at least one run", code="no_runs")
        return np.stack([self._checked(exam, run) for run in runs])

    def _state(self, label_set: str) -> tuple[threading.Lock, LabelSetState]:
        with self._opening:
            return self._states.setdefault(label_set, (threading.Lock(), LabelSetState(label_set)))

    def _entered(
        self, exam: Exam, researcher: str, team: str, lane: Lane, p: np.ndarray, exact: float
    ) -> tuple[Entry, int]:
        """The query, recorded, and how many paid ones are left after it."""
        bits = pack(p)
        lock, state = self._state(exam.label_set)
        with lock:
            for _ in range(100):  # another process may append between reading and writing
                state.catch_up(self.store)
                entry = self._next(state, exam, researcher, team, lane, bits, exact)
                left = self._left(state, researcher, entry.n, entry.at) - entry.paid
                if self.store.append(exam.label_set, entry):
                    return entry, max(0, left)
        raise LabError(f"the gate's log of {exam.label_set} never took the entry", code="gate_contended")

    def _next(
        self, state: LabelSetState, exam: Exam, researcher: str, team: str, lane: Lane, bits: bytes, exact: float
    ) -> Entry:
        """The entry this query would make now. Raises BudgetSpent or Refused; changes nothing."""
        now, n = self.clock(), len(exam.ids)
        near = state.vectors(exam.rows, n).nearest(bits)
        copy = near is not None and near.distance <= self.rules.near + 1e-12
        like = state.source(exam.rows, near.index) if near and copy else None
        self._afford(state, researcher, n, now, free=copy)
        accuracy = exact if like is None else 1 - like.accuracy if near and near.complement else like.accuracy
        number, ladder = self._ladder(state, exam, researcher, team)
        after, improved = (ladder, False) if lane == "screening" else ladder.answer(accuracy)
        return Entry(
            state.size,
            now,
            lane,
            researcher,
            team,
            exam.problem,
            exam.rows,
            n,
            bits,
            accuracy,
            not copy,
            like.seq if like else None,
            near.distance if near else None,
            bool(near and near.complement),
            improved,
            number,
            after.floor,
            after.step,
            after.level,
        )

    def _afford(self, state: LabelSetState, researcher: str, n: int, now: float, free: bool) -> None:
        if free:
            if state.since(researcher, False, now - HOUR) >= self.rules.free_per_hour:
                raise BudgetSpent(
                    f"{self.rules.free_per_hour} near-duplicates in an hour are the most",
                    code="too_many_duplicates",
                    hint="wait, or send predictions that differ on more rows",
                )
        elif self._left(state, researcher, n, now) <= 0:
            today = state.since(researcher, True, now - DAY) >= self.rules.daily
            raise BudgetSpent(
                f"{self.rules.daily} paid evaluations in 24 hours are used up"
                if today
                else "nothing is left of these rows' evaluations for this researcher",
                hint="come back tomorrow" if today else "submit the best method: the final lane needs no evaluation",
            )

    def _left(self, state: LabelSetState, researcher: str, n: int, now: float) -> int:
        """The least of: own limit, today's limit, and the pool less what is kept aside for others."""
        rules, share = self.rules, self.rules.share(n)
        holders = list(state.paid)[: rules.researchers]  # the first to come hold the shares
        unseen = rules.researchers - len(holders) - (researcher not in state.paid)
        kept = sum(max(0, share - state.paid[r]) for r in holders if r != researcher) + max(0, unseen) * share
        today = rules.daily - state.since(researcher, True, now - DAY)
        own = rules.own(n) - state.paid.get(researcher, 0)
        return max(0, min(own, today, rules.pool(n) - state.total_paid() - kept))

    def _ladder(self, state: LabelSetState, exam: Exam, researcher: str, team: str) -> tuple[int, Ladder]:
        """The asker's Ladder: an own one while there are some left, else a team-mate's, else the emptiest."""
        number = state.seat_of.get((researcher, exam.problem))
        if number is not None:
            return number, state.seats[number].ladder
        step = step_for(len(exam.ids))
        if len(state.seats) < self.rules.ladders:
            return len(state.seats), Ladder(exam.floor, step)

        def fit(item: tuple[int, Seat]) -> tuple[bool, bool, bool, int]:
            seat = item[1]
            same_team = bool(team) and team in seat.teams
            return researcher not in seat.members, not same_team, seat.problem != exam.problem, len(seat.members)

        open_seats = [(i, s) for i, s in enumerate(state.seats) if s.ladder.step >= step - 1e-12]
        if not open_seats:
            raise Refused(
                f"label set {exam.label_set} has no Ladder left for {len(exam.ids)} rows",
                code="no_ladder",
                hint="use rows that no study has asked about",
            )
        number, seat = min(open_seats, key=fit)
        return number, seat.ladder


def _right(p: np.ndarray, exam: Exam) -> float:
    """Share of the rows that p [n], or on average each of p [seeds, n], gets right."""
    return float(correctness(p, exam.gold).mean())


def _say(exam: Exam, entry: Entry, left: int) -> GateAnswer:
    """The answer to a recorded query: both kinds are computed in full, one is told."""
    told = Ladder(entry.floor, entry.step, entry.level).told
    score = NotScored("the ceiling is not known") if exam.ceiling is None else pgr(told, exam.floor, exam.ceiling)
    score = round(score, 4) if isinstance(score, float) else score
    if not entry.improved:
        return GateAnswer("not_improved", None, None, not entry.paid, left)
    return GateAnswer("improved", round(told, 4), score, not entry.paid, left)


def aligned(predictions: Mapping[str, float], exam: Exam) -> np.ndarray:
    """p [n] in the order of exam.ids: every id exactly once, finite, in [0, 1]; else InputError."""
    in_order = tuple(predictions) == exam.ids  # as most send them, and quicker to look through
    if not in_order and predictions.keys() != exam.id_set:
        missing, extra = len(exam.id_set - predictions.keys()), len(predictions.keys() - exam.id_set)
        raise InputError(
            f"{missing} of {len(exam.ids)} ids are missing, {extra} are unknown",
            code="missing_ids" if missing else "unknown_ids",
            hint="every id of test.jsonl exactly once",
        )
    try:
        given = np.array([*(predictions.values() if in_order else map(predictions.__getitem__, exam.ids))])
    except ValueError:  # lists among the numbers
        given = np.array([None])
    if given.dtype.kind not in "biuf" or given.ndim != 1:
        raise InputError("a prediction is not a number", code="not_a_number", hint="0, 1 or P(label = 1)")
    p = given.astype(np.float64)
    if not np.isfinite(p).all():
        raise InputError(
            f"{int((~np.isfinite(p)).sum())} predictions are NaN or infinite",
            code="not_finite",
            hint="0, 1 or P(label = 1)",
        )
    if p.min() < 0 or p.max() > 1:
        raise InputError("predictions must lie in [0, 1]", code="out_of_range", hint="0, 1 or P(label = 1)")
    return p
