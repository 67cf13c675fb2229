"""The maths of a score: accuracy, AUROC, the performance gap recovered (PGR) and its intervals.

Pure functions of arrays; knows no file, no problem name and no gate. Shapes: p, y, groups [n]; a correctness
matrix is [seeds, n] with 1 right, 0 wrong and 1/2 undecided. A score is a float or `NotScored`, never null-as-zero.

Ties: p exactly .5 says nothing, so it earns half a point, the expectation of a fair coin. Counting it as either
label would favour whoever knows the majority label.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, stdtrit

from aar.errors import InputError
from aar.types import NotScored

MIN_GAP = 0.05  # below it one flipped row moves PGR by more than the method under test
Score = float | NotScored


@dataclass(frozen=True)
class Interval:
    """A mean with its two-sided interval and standard error; `n` independent units (seeds) stand behind it."""

    mean: float
    lo: float
    hi: float
    se: float
    n: int


def correctness(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[..., n] of 1 (right), 0 (wrong), 1/2 (p exactly .5) for p [..., n] = P(label = 1) and labels y [n]."""
    return np.where(p == 0.5, 0.5, (np.asarray(p) > 0.5) == (np.asarray(y) == 1)).astype(np.float64)


def accuracy(p: np.ndarray, y: np.ndarray) -> float:
    """Share of rows on the right side of .5; a row at exactly .5 counts one half."""
    return float(correctness(p, y).mean())


def auroc(p: np.ndarray, y: np.ndarray) -> Score:
    """P(a positive outranks a negative), ties one half: the Mann-Whitney U by average ranks."""
    _, place, count = np.unique(p, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    positive = np.asarray(y) == 1
    n1, n0 = int(positive.sum()), int((~positive).sum())
    if n1 == 0 or n0 == 0:
        return NotScored("AUROC needs both labels among the rows")
    return float((rank[positive].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def pgr(student: float, floor: float, ceiling: float, min_gap: float = MIN_GAP) -> Score:
    """(student - floor) / (ceiling - floor); not scored where the gap is under `min_gap`."""
    gap = ceiling - floor
    if gap < min_gap - 1e-12:
        return NotScored(f"the gap between floor and ceiling is {gap:.3f}, under {min_gap:.2f}")
    return (student - floor) / gap


def score_as_json(score: Score) -> float | dict[str, str]:
    """A number, or {"not_scored": reason}: neither null nor 0 nor NaN."""
    if isinstance(score, NotScored):
        return {"not_scored": score.reason}
    if not math.isfinite(score):
        raise ValueError(f"{score} is not a score; use NotScored with the reason")
    return float(score)


def score_from_json(data: Any) -> Score:
    if isinstance(data, Mapping) and set(data) == {"not_scored"}:
        return NotScored(str(data["not_scored"]))
    if isinstance(data, int | float) and not isinstance(data, bool) and math.isfinite(data):
        return float(data)
    raise InputError(f"{data!r} is not a score", hint='a finite number, or {"not_scored": reason}')


def seed_interval(values: Sequence[float] | np.ndarray, level: float = 0.95) -> Interval | NotScored:
    """Student-t interval of a mean over seeds."""
    values = np.asarray(values, dtype=np.float64)
    k = len(values)
    if k < 2:
        return NotScored(f"an interval needs at least 2 seeds, not {k}")
    mean, se = float(values.mean()), float(values.std(ddof=1) / math.sqrt(k))
    half = float(stdtrit(k - 1, (1 + level) / 2)) * se
    return Interval(mean, mean - half, mean + half, se, k)


def pgr_se(student: Interval, floor: Interval, ceiling: Interval) -> float:
    """Delta-method standard error of PGR from three independent means over seeds (no test-row sampling)."""
    gap = ceiling.mean - floor.mean
    r = (student.mean - floor.mean) / gap
    return math.sqrt(student.se**2 + ((1 - r) * floor.se) ** 2 + (r * ceiling.se) ** 2) / gap


def pgr_interval(
    student: np.ndarray,
    floor: np.ndarray,
    ceiling: np.ndarray,
    groups: Sequence[Any] | np.ndarray | None = None,
    *,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Interval | NotScored:
    """Percentile interval of the mean PGR: a paired bootstrap over groups of rows and over seeds.

    Inputs are correctness matrices [seeds, n] on the same n rows, in the same order. Every redraw takes whole
    groups and, for each of the three, seeds, and computes floor, ceiling and student anew on the same rows, so the
    uncertainty of the baselines is in it and what the three share cancels.
    """
    redrawn = _redraw([student], floor, ceiling, groups, draws, seed)
    if isinstance(redrawn, NotScored):
        return redrawn
    mean, spread = float(redrawn[0][0]), redrawn[1][:, 0]
    tail = (1 - level) / 2
    lo, hi = np.quantile(spread, [tail, 1 - tail])
    return Interval(mean, min(float(lo), mean), max(float(hi), mean), _sd(spread), len(student))


def simultaneous_intervals(
    students: Mapping[str, np.ndarray],
    floor: np.ndarray,
    ceiling: np.ndarray,
    groups: Sequence[Any] | np.ndarray | None = None,
    *,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> dict[str, Interval | NotScored]:
    """One interval per method so that all of them hold together with probability `level` (bootstrap max-t)."""
    redrawn = _redraw(list(students.values()), floor, ceiling, groups, draws, seed)
    if isinstance(redrawn, NotScored):
        return dict.fromkeys(students, redrawn)
    return _together(students, *redrawn, level)


def simultaneous_gains(
    students: Mapping[str, np.ndarray],
    over: np.ndarray,
    floor: np.ndarray,
    ceiling: np.ndarray,
    groups: Sequence[Any] | np.ndarray | None = None,
    *,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> dict[str, Interval | NotScored]:
    """The same for what each method's PGR gains over that of `over`, paired by row and by seed: run s of both saw the same
    teacher, so what that teacher does to both cancels. All must have the same seeds in the same order."""
    if any(m.shape != over.shape for m in students.values()):
        raise InputError("gains need the same seeds and rows on both sides", code="bad_shape")
    redrawn = _redraw([m - over for m in students.values()], floor, ceiling, groups, draws, seed, above_floor=False)
    if isinstance(redrawn, NotScored):
        return dict.fromkeys(students, redrawn)
    return _together(students, *redrawn, level)


def _together(
    students: Mapping[str, np.ndarray], means: np.ndarray, spread: np.ndarray, level: float
) -> dict[str, Interval | NotScored]:
    se = np.array([_sd(column) for column in spread.T])
    t = np.abs(spread - means) / np.maximum(se, 1e-12)
    half = np.quantile(t.max(axis=1), level) * se
    return {
        name: Interval(float(m), float(m - h), float(m + h), float(s), len(students[name]))
        for name, m, h, s in zip(students, means, half, se, strict=True)
    }


def best_of_k_inflation(k: int, sd: float) -> float:
    """What picking the best of k equally good seeds adds to a score: sd * E[max of k standard normals]."""
    z = np.linspace(-9, 9, 7201)
    below = ndtr(z) ** k
    step = z[1] - z[0]
    return float(sd * step * ((1 - below[z >= 0]).sum() - below[z < 0].sum() - 0.5))


def _redraw(
    students: Sequence[np.ndarray],
    floor: np.ndarray,
    ceiling: np.ndarray,
    groups: Sequence[Any] | np.ndarray | None,
    draws: int,
    seed: int,
    above_floor: bool = True,
) -> tuple[np.ndarray, np.ndarray] | NotScored:
    """Point estimates [m] and bootstrap redraws [draws, m] of the PGR of m students on common rows. With above_floor=False
    the students are differences of correctness, and what is returned is their share of the gap."""
    n = floor.shape[1]
    matrices = [floor, ceiling, *students]
    if any(m.ndim != 2 or m.shape[1] != n or not len(m) for m in matrices):
        raise InputError("correctness matrices must be [seeds, n] on the same n rows", code="bad_shape")
    start = float(floor.mean())
    estimates = [pgr(float(s.mean()) + (0.0 if above_floor else start), start, float(ceiling.mean())) for s in students]
    if isinstance(estimates[0], NotScored):
        return estimates[0]
    rng = np.random.default_rng(seed)
    _, member = np.unique(np.arange(n) if groups is None else np.asarray(groups), return_inverse=True)
    size = np.bincount(member).astype(np.float64)  # [g] rows per group
    weight = rng.multinomial(len(size), np.full(len(size), 1 / len(size)), size=draws)  # [draws, g]
    rows = weight @ size
    low, high, *scores = (_redrawn_accuracy(m, member, weight, rows, rng) for m in matrices)
    gap = high - low
    if (gap <= 0).mean() > 0.02:
        return NotScored("the gap between floor and ceiling cannot be told from zero on these rows")
    spread = np.stack([(s - low * above_floor) / np.maximum(gap, 1e-3) for s in scores], axis=1)
    return np.array(estimates, dtype=np.float64), spread


def _redrawn_accuracy(
    matrix: np.ndarray, member: np.ndarray, weight: np.ndarray, rows: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """[draws] accuracy of one correctness matrix under the shared row weights and its own redrawn seeds."""
    per_group = np.stack([np.bincount(member, weights=row) for row in matrix])  # [s, g]
    s = len(matrix)
    # s - 1 draws out of s: a mean of s draws would understate the seeds' variance by (s - 1) / s.
    k = max(s - 1, 1)
    seeds = rng.multinomial(k, np.full(s, 1 / s), size=len(weight)) / k if s > 1 else np.ones((len(weight), 1))
    return ((seeds @ per_group) * weight).sum(axis=1) / rows


def _sd(spread: np.ndarray) -> float:
    """Half the central 68 % width: the sd of a normal, but one redraw with a tiny gap cannot blow it up."""
    low, high = np.quantile(spread, [0.158655, 0.841345])
    return float((high - low) / 2)
