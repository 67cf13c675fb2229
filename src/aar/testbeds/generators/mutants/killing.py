"""Which mutants behave differently: originals and mutants are executed, in a child process under resource limits.

A mutant that takes its child down (memory, processor time) is left out: nothing is known about it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aar.errors import LabError

WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True)
class Job:
    """An original, its mutants and argument tuples to call them with."""

    source: str
    mutants: list[str]
    inputs: list[tuple[Any, ...]]


@dataclass(frozen=True)
class Fate:
    """How a mutant fared on the tests the original passes: wrong values returned and errors (or endless loops)."""

    tests: int
    wrong: int
    errors: int


def execute(jobs: Sequence[Job], timeout_s: float = 300, max_deaths: int = 20) -> dict[tuple[int, int], Fate]:
    """(job index, mutant index) -> fate, for every mutant that did not take its process down."""
    request = [{"source": j.source, "mutants": j.mutants, "inputs": [repr(i) for i in j.inputs]} for j in jobs]
    fates: dict[tuple[int, int], Fate] = {}
    deadly: list[tuple[int, int]] = []
    while len(deadly) <= max_deaths:
        done, last = _run({"jobs": request, "skip": [*fates, *deadly]}, timeout_s)
        fates |= done
        if last is None:
            return fates
        deadly.append(last)
    raise LabError("executing mutants keeps killing its process", hint="is there enough memory on this machine?")


def _run(request: dict[str, Any], timeout_s: float) -> tuple[dict[tuple[int, int], Fate], tuple[int, int] | None]:
    """Fates, and the mutant at which the child died if it did."""
    command = [sys.executable, "-I", str(WORKER)]
    try:
        child = subprocess.run(command, input=json.dumps(request).encode(), capture_output=True, timeout=timeout_s)
        out, failed = child.stdout, child.returncode != 0
    except subprocess.TimeoutExpired as stopped:
        out, failed = stopped.stdout or b"", True
    lines = [json.loads(line) for line in out.splitlines() if line.endswith(b"]")]
    fates = {(line[0], line[1]): Fate(*line[2:]) for line in lines if len(line) == 5}
    if not failed:
        return fates, None
    if not lines or len(lines[-1]) == 5:
        raise LabError("the process that executes mutants failed outside of a mutant", code="worker_failed")
    return fates, (lines[-1][0], lines[-1][1])
