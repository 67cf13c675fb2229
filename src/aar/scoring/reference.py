"""The published baselines of the reference study, recomputed from their per-seed accuracies.

Reads its JSON (path given by the caller) into rows of method x testbed. The floor and ceiling are means over 16
seeds; `se` is over the method's own seeds, as the study prints it, `se_with_baselines` adds theirs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aar.errors import InputError
from aar.scoring.metrics import Interval, pgr, pgr_se, seed_interval
from aar.types import NotScored


@dataclass(frozen=True)
class Baseline:
    """One cell of the published table. PGR unless said; accuracies in [0, 1]."""

    testbed: str
    method: str
    pgr: float | NotScored
    se: float
    se_with_baselines: float
    seeds: int
    floor: float
    ceiling: float
    n_test: int


def read_reference(path: Path) -> list[Baseline]:
    """Every method x testbed of the file, recomputed. Raises InputError where it has another shape."""
    try:
        testbeds = json.loads(path.read_text())["datasets"]
        return [
            _baseline(name, bed, method, m) for name, bed in testbeds.items() for method, m in bed["methods"].items()
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} does not hold reference baselines ({error!r})",
            hint="expected datasets.<testbed>.methods.<method>.transfer_acc_values",
        ) from error


def _baseline(testbed: str, bed: dict[str, Any], method: str, entry: dict[str, Any]) -> Baseline:
    floor, ceiling = _published(bed["weak_acc"]), _published(bed["ceiling_acc"])
    student = seed_interval(entry["transfer_acc_values"])
    if isinstance(student, NotScored):
        raise KeyError(f"{testbed}/{method}: {student.reason}")
    return Baseline(
        testbed,
        method,
        pgr(student.mean, floor.mean, ceiling.mean),
        student.se / (ceiling.mean - floor.mean),
        pgr_se(student, floor, ceiling),
        student.n,
        floor.mean,
        ceiling.mean,
        bed["n_test"],
    )


def _published(summary: dict[str, Any]) -> Interval:
    return Interval(summary["mean"], summary["min"], summary["max"], summary["se"], summary["n"])
