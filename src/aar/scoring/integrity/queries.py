"""Patterns in a researcher's queries that look like digging for labels. For a person to read: ensembles look odd, too.

Reads the gate's log (packed 0/1 vectors, exact accuracies), so what it says is the owner's alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from aar.scoring.gatelog import Entry
from aar.scoring.integrity.case import Case, Finding, check

WINDOW = 50
NEAR = 3  # near-duplicates in a window
COMPLEMENTS = 2
BELOW, BELOW_OF = 0.3, 10  # share under the floor, of at least so many
REDRAWS = 8  # vectors before redraws can be told
EVEN = 1.5  # index of dispersion of flips per row: 1 for independent redraws, several for real methods
MOVED = 0.02  # share of rows that a redraw changes at least


def vectors(log: Sequence[Entry]) -> np.ndarray:
    """[m, n] the 0/1 vectors of entries on the same rows."""
    packed = np.stack([np.frombuffer(e.bits, dtype=np.uint8) for e in log])
    return np.unpackbits(packed, axis=1)[:, : log[0].n]


def dispersion(v: np.ndarray) -> tuple[float, float]:
    """(share of rows on which a vector of v [m, n] leaves the majority, index of dispersion of that over rows). Flips
    drawn independently of the rows give 1; methods that are unsure of the same rows give several times as much."""
    m = len(v)
    flips = np.minimum(v.sum(0), m - v.sum(0)).astype(float)  # [n] how many leave the majority
    rate = flips.mean() / m
    if rate == 0:
        return 0.0, np.inf
    expected, variance = _majority_moments(m, rate)
    return float(rate), float(((flips - expected) ** 2).mean() / max(variance, 1e-9))


def _majority_moments(m: int, rate: float) -> tuple[float, float]:
    """Mean and variance of min(k, m - k) for k of m flips, at the flip rate whose mean share is `rate`."""
    k = np.arange(m + 1)
    log_choose = np.concatenate([[0.0], np.cumsum(np.log(np.arange(m, 0, -1) / np.arange(1, m + 1)))])
    low, high = 1e-6, 0.5
    for _ in range(40):
        q = (low + high) / 2
        weight = np.exp(log_choose + k * np.log(q) + (m - k) * np.log(1 - q))
        mean = float((weight * np.minimum(k, m - k)).sum())
        low, high = (q, high) if mean < rate * m else (low, q)
    return mean, float((weight * (np.minimum(k, m - k) - mean) ** 2).sum())


def windows(log: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """Stretches of at most WINDOW queries, each overlapping the next by half."""
    for start in range(0, max(len(log) - WINDOW // 2, 1), WINDOW // 2):
        yield log[start : start + WINDOW]


@check("query patterns")
def find(case: Case) -> list[Finding]:
    log = [e for e in case.log if e.lane == "interactive"]
    if not log:
        return []
    return [f for f in (_near(log), _complements(log), _below(log), _redraws(log)) if f]


def _near(log: Sequence[Entry]) -> Finding | None:
    most = max(sum(e.like is not None and not e.complement for e in w) for w in windows(log))
    if most < NEAR:
        return None
    return _finding(
        "near-duplicate queries", f"{most} of {min(WINDOW, len(log))} queries in a row nearly copy an earlier one", most
    )


def _complements(log: Sequence[Entry]) -> Finding | None:
    count = sum(e.complement for e in log)
    if count < COMPLEMENTS:
        return None
    return _finding("complemented queries", f"{count} queries are an earlier vector turned round", count)


def _below(log: Sequence[Entry]) -> Finding | None:
    paid = [e for e in log if e.paid]
    low = sum(e.accuracy < e.floor for e in paid)
    if len(paid) < BELOW_OF or low <= BELOW * len(paid):
        return None
    return _finding(
        "queries below the floor",
        f"{low} of {len(paid)} paid queries score under the floor: no method tries that often",
        low,
    )


def _redraws(log: Sequence[Entry]) -> Finding | None:
    for window in windows([e for e in log if e.paid]):
        alike = [e for e in window if (e.rows, e.n) == (window[-1].rows, window[-1].n)]
        if len(alike) < REDRAWS:
            continue
        rate, spread = dispersion(vectors(alike))
        if rate >= MOVED and spread <= EVEN:
            says = (
                f"{len(alike)} vectors differ from their common majority on {100 * rate:.0f} % of rows, evenly over the rows "
                f"(dispersion {spread:.2f}; real methods doubt the same rows and give several times that)"
            )
            return _finding("redraws of one vector", says, round(spread, 3))
    return None


def _finding(label: str, says: str, figure: float) -> Finding:
    look = "plot this researcher's queries in time: distance to the nearest earlier one and accuracy; ask for the code behind them"
    return Finding("query patterns", "flag", label, says, look, {"figure": figure})
