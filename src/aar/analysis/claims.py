"""What may be said. A sentence claims a difference only where the interval of that difference leaves zero out.

Pure functions of intervals. Knows no file and no name but those handed in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from aar.types import NotScored


@dataclass(frozen=True)
class Figure:
    """A value and its 95 % interval."""

    mean: float
    lo: float
    hi: float

    @classmethod
    def read(cls, raw: Any) -> Figure | None:
        """From {"pgr" or "mean", "lo", "hi"}; None where a number is missing."""
        if not isinstance(raw, Mapping):
            return None
        values = [raw.get("pgr", raw.get("mean")), raw.get("lo"), raw.get("hi")]
        if all(type(v) in (int, float) and math.isfinite(v) for v in values):
            return cls(*map(float, values))  # type: ignore[arg-type]
        return None

    def __str__(self) -> str:
        return f"{self.mean:.2f} [{self.lo:.2f}, {self.hi:.2f}]"


@dataclass(frozen=True)
class Claim:
    """`shown`: whether the interval carries a difference; without it the sentence says that none is shown."""

    text: str
    shown: bool


def difference(a: Figure, b: Figure) -> Figure:
    """a - b of two independent figures from their intervals alone, asymmetric ones too.

    The square-and-add rule (Zou and Donner 2008, eq. 7). Where a and b share rows their errors partly cancel, and this is
    too wide: it errs towards "no difference shown".
    """
    mean = a.mean - b.mean
    below = math.hypot(a.mean - a.lo, b.hi - b.mean)
    above = math.hypot(a.hi - a.mean, b.mean - b.lo)
    return Figure(mean, mean - below, mean + above)


def mean_difference(a: Sequence[float], b: Sequence[float], level: float = 0.95) -> Figure | NotScored:
    """mean(a) - mean(b) by Welch's t: each value is one researcher, the unit that a comparison of arms repeats."""
    if min(len(a), len(b)) < 2:
        return NotScored(f"{len(a)} against {len(b)} researchers with a figure: at least 2 each are needed")
    parts = [float(np.var(x, ddof=1)) / len(x) for x in (a, b)]
    se = math.sqrt(sum(parts))
    mean = float(np.mean(a) - np.mean(b))
    if se == 0.0:
        return NotScored("all researchers of an arm have the same figure: their spread cannot be measured")
    freedom = sum(parts) ** 2 / sum(p**2 / (len(x) - 1) for p, x in zip(parts, (a, b), strict=True))
    half = float(stdtrit(freedom, (1 + level) / 2)) * se
    return Figure(mean, mean - half, mean + half)


def compare(one: str, other: str, diff: Figure | NotScored, what: str = "PGR") -> Claim:
    """ "one beat other" or the reverse only if the interval excludes zero."""
    if isinstance(diff, NotScored):
        return Claim(f"{one} against {other}: no difference shown ({diff.reason})", False)
    if diff.lo > 0 or diff.hi < 0:
        winner, loser, by = (one, other, diff) if diff.lo > 0 else (other, one, Figure(-diff.mean, -diff.hi, -diff.lo))
        return Claim(f"{winner} beat {loser} by {by} in {what}", True)
    return Claim(f"{one} against {other}: no difference shown ({diff} in {what})", False)


def recovered(what: str, figure: Figure | None) -> Claim:
    """Whether any of the gap was recovered."""
    if figure is None:
        return Claim(f"{what}: not scored", False)
    if figure.lo > 0:
        return Claim(f"{what}: part of the gap was recovered, PGR {figure}", True)
    if figure.hi < 0:
        return Claim(f"{what}: worse than the teacher, PGR {figure}", True)
    return Claim(f"{what}: no recovery shown, PGR {figure}", False)
