"""From predictions to a result: accuracy and PGR with intervals, over seeds, per subset.

A result is the owner's: it holds exact figures on rows that carry gold labels. What a researcher may hear of it is
decided by the gate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aar.scoring.metrics import Interval, correctness, pgr_interval, seed_interval
from aar.scoring.prepare import Baseline
from aar.scoring.problem import Card, Problem
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.testbeds.rows import Split
from aar.types import NotScored, Predictions

MIN_SUBSET = 20  # rows under which a subset's accuracy is not worth printing
NO_CEILING = "no ceiling was measured: aar baseline run PROBLEM --ceiling-seeds 2 (needs labels of the unlabeled rows)"


@dataclass(frozen=True)
class Result:
    """One method on one problem over several seeds, scored on one split. acc: [seeds]."""

    problem: str
    method: str
    seeds: tuple[int, ...]
    split: str
    acc: tuple[float, ...]
    pgr: Interval | NotScored
    floor: Mapping[str, float]
    ceiling: Mapping[str, float] | None
    by_subset: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def mean(self) -> float:
        return float(np.mean(self.acc))

    @property
    def se(self) -> float | None:
        """Standard error over seeds; None from one seed."""
        return float(np.std(self.acc, ddof=1) / np.sqrt(len(self.acc))) if len(self.acc) > 1 else None

    def as_json(self) -> dict[str, Any]:
        scored = isinstance(self.pgr, Interval)
        return {
            "problem": self.problem,
            "method": self.method,
            "seeds": list(self.seeds),
            "split": self.split,
            "acc": {"mean": round(self.mean, 6), "se": self.se and round(self.se, 6)},
            "pgr": _interval(self.pgr) if isinstance(self.pgr, Interval) else None,
            **({} if scored else {"not_scored": getattr(self.pgr, "reason", "")}),
            "floor": self.floor,
            "ceiling": self.ceiling,
            "by_subset": self.by_subset,
            "seconds": round(self.seconds, 3),
        }


def _interval(interval: Interval) -> dict[str, float]:
    return {k: round(getattr(interval, k), 4) for k in ("mean", "lo", "hi")}


def mean_se(right: np.ndarray) -> dict[str, float]:
    """{mean, se} of accuracy over seeds, from correctness [seeds, n]."""
    over = seed_interval(right.mean(1))
    return {"mean": round(float(right.mean()), 6), "se": round(over.se, 6) if isinstance(over, Interval) else 0.0}


class Scorer:
    """Scores predictions on one split of one problem. Inside the trust boundary only."""

    def __init__(self, lab: LabFolder, problem: Problem, split: Split = "test") -> None:
        self.problem, self.split = problem, split
        self.card = Card.load(lab, problem)
        gold = Sealed(lab).gold(problem.testbed, [split])
        self.ids = tuple(gold)
        self.truth = np.array([row.label for row in gold.values()])
        self.groups = np.array([row.group for row in gold.values()])
        self.subsets = np.array([row.subset or "all" for row in gold.values()])
        self.floor, self.ceiling = Baseline.load(lab, problem).on(self.ids)

    def right(self, predictions: Predictions) -> np.ndarray:
        """[n] correctness, joined by id; a MethodError names a broken rule."""
        return correctness(predictions.aligned(self.ids), self.truth)

    def pgr(self, right: np.ndarray, rows: np.ndarray | None = None, level: float = 0.95) -> Interval | NotScored:
        """PGR interval of correctness [seeds, n], on all rows or on a boolean mask of them."""
        if self.ceiling is None:
            return NotScored(NO_CEILING)
        keep = slice(None) if rows is None else rows
        return pgr_interval(right[:, keep], self.floor[:, keep], self.ceiling[:, keep], self.groups[keep], level=level)

    def result(self, method: str, seeds: Sequence[int], answers: Sequence[Predictions], seconds: float = 0.0) -> Result:
        right = np.stack([self.right(answer) for answer in answers])
        return Result(
            self.problem.name,
            method,
            tuple(seeds),
            self.split,
            tuple(right.mean(1).tolist()),
            self.pgr(right),
            mean_se(self.floor),
            None if self.ceiling is None else mean_se(self.ceiling),
            self._by_subset(right),
            seconds,
        )

    def _by_subset(self, right: np.ndarray) -> dict[str, dict[str, Any]]:
        table = {}
        for name in sorted(set(self.subsets)):
            rows = self.subsets == name
            if rows.sum() < MIN_SUBSET or len(set(self.subsets)) == 1:
                continue
            pgr = self.pgr(right, rows)
            table[str(name)] = {
                "n": int(rows.sum()),
                "acc": round(float(right[:, rows].mean()), 4),
                "floor": round(float(self.floor[:, rows].mean()), 4),
                "ceiling": None if self.ceiling is None else round(float(self.ceiling[:, rows].mean()), 4),
                "pgr": _interval(pgr) if isinstance(pgr, Interval) else None,
            }
        return table
