"""Runs of the method table, one cell at a time: a method in one setting on a problem, over all seeds.

Cells are kept in the lab as they are made, under a digest of the code, the setting and the problem, so that a broken run
goes on where it was. They hold who was right on which row and are sealed. What they say together: `method_table`.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import aar
from aar.errors import AarError, LabError, MethodError
from aar.methods import library
from aar.methods.card import BUDGET
from aar.models.extraction import leave_with_parent
from aar.scoring.problem import Card, Problem
from aar.scoring.result import Scorer
from aar.settings import LabFolder

LIMIT_S = 900.0  # of a cell: all seeds of one setting
Params = dict[str, Any]
Said = Callable[[int, int, str], None]  # cells done, cells in all, the last one


@dataclass(frozen=True)
class Cell:
    """One method in one setting on one problem, over all seeds."""

    problem: str
    method: str
    params: Params
    seeds: tuple[int, ...]

    @property
    def name(self) -> str:
        return f"{self.method} {json.dumps(self.params, sort_keys=True)} on {self.problem}"

    def path(self, lab: LabFolder) -> Path:
        card = Card.load(lab, Problem.parse(self.problem))
        key = json.dumps([self.params, self.seeds, card.__dict__, _digest(self.method)], sort_keys=True, default=str)
        folder = lab.sealed / "methods" / Problem.parse(self.problem).name.replace("/", "_")
        return folder / f"{self.method}.{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"


@dataclass(frozen=True)
class Outcome:
    """right [seeds, n] where it ran; otherwise why it did not."""

    right: np.ndarray | None
    seconds: float
    not_run: str = ""
    failed: bool = False


@cache
def _digest(method: str) -> str:
    """The method's file and the code it is put together from."""
    root = Path(aar.__file__).parent
    files = [
        library.source_file(method),
        *sorted((root / "methods" / "parts").glob("*.py")),
        *sorted((root / "models").glob("*.py")),
    ]
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()


def cells(
    problems: Sequence[Problem], methods: Sequence[str], seeds: Sequence[int], budget: int = BUDGET
) -> list[Cell]:
    """What is to be run, problem by problem."""
    return [
        Cell(p.name, m, setting, tuple(seeds))
        for p in problems for m in methods for setting in library.card(m).configurations()[:budget]
    ]  # fmt: skip


def run_cells(
    lab: LabFolder,
    todo: Sequence[Cell],
    jobs: int = 2,
    said: Said = lambda done, total, last: None,
    limit_s: float = LIMIT_S,
) -> None:
    """Run what is not kept yet or failed, `jobs` processes side by side; each cell is kept as soon as it is there. A cell
    that takes longer than `limit_s` is kept as not run."""
    left = [c for c in todo if not c.path(lab).exists() or load(lab, c).failed]
    done = len(todo) - len(left)
    said(done, len(todo), "")
    if jobs <= 1:
        for cell in left:
            _run(lab.root, cell, limit_s)
            said(done := done + 1, len(todo), cell.name)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_one_of_many) as pool:
        futures = {pool.submit(_run, lab.root, cell, limit_s): cell for cell in left}
        try:
            for future in as_completed(futures):
                future.result()
                said(done := done + 1, len(todo), futures[future].name)
        except BrokenProcessPool as error:
            hint = "was memory short? the same command goes on where this one was; --jobs 1 takes half of the memory"
            raise LabError("a process that ran methods was killed", hint=hint) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _one_of_many() -> None:
    """A process that shares the machine: one thread of its own. Two that take all cores each wait for one another, 80 times as
    long as the work."""
    leave_with_parent()
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    threadpool_limits(1)


def _run(root: Path, cell: Cell, limit_s: float) -> None:
    """One cell: run, score, keep."""
    from aar.scoring.trial import answers

    lab, start = LabFolder(root), time.monotonic()
    try:
        problem = Problem.parse(cell.problem)
        with _limited(limit_s):
            said = answers(lab, problem, cell.method, cell.seeds, params=cell.params)
        seconds, scorer = time.monotonic() - start, Scorer(lab, problem)
        outcome = Outcome(np.stack([scorer.right(answer) for answer in said]), seconds)
    except TimeoutError:
        outcome = Outcome(None, time.monotonic() - start, f"it takes longer than {limit_s:.0f} s")
    except MethodError as error:
        outcome = Outcome(None, time.monotonic() - start, error.message, failed=error.code != "unsupported")
    except AarError:  # the lab's own state or the caller is at fault: no method would fare better
        raise
    except Exception as error:  # a defect of one method must not lose the others: it is shown in its row
        outcome = Outcome(None, time.monotonic() - start, f"{type(error).__name__}: {error}"[:300], failed=True)
    _keep(cell.path(lab), outcome)


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """TimeoutError after so long. In the main thread of a process."""

    def stop(*_: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _keep(path: Path, outcome: Outcome) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(f".{time.monotonic_ns()}.part")
    with part.open("wb") as out:
        right = np.zeros((0, 0)) if outcome.right is None else outcome.right
        np.savez_compressed(out, right=right, seconds=outcome.seconds, not_run=outcome.not_run, failed=outcome.failed)
    part.rename(path)


def load(lab: LabFolder, cell: Cell) -> Outcome:
    with np.load(cell.path(lab), allow_pickle=False) as kept:
        right = kept["right"] if kept["right"].size else None
        return Outcome(right, float(kept["seconds"]), str(kept["not_run"]), bool(kept["failed"]))
