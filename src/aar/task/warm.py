"""One warm process per researcher: imports and features are paid once, then every run is a fork.

Lives in the researcher's sandbox. Reads one JSON request a line on standard input, answers one JSON line on standard
output: {"id", "method": folder, "out": folder, "runs": [names] | null, "held_out": [run, folds] | null, "deadline_s"}
-> {"id", "code", "seconds"}. What a run predicted lies in `out` (see `aar.task.runner`). `held_out` runs the method again
on all training rows but a fold, and has it predict that fold: `out/<run>.fold<k>.json`, ids of training rows. The
request's time is shared by its runs; one that outlives it is killed with its children.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from aar.task.folder import RunSpec, TaskSpec, open_task
from aar.task.runner import ALLOWED, Watch, run_one
from aar.types import Rows, Task

POLL_S = 0.02
TIMED_OUT = 124

Cut = Callable[[Task], Task]


def fold_of(rows: Rows, folds: int) -> np.ndarray:
    """[n] fold of each row, by its question: the same for every method and seed, so that methods compare in pairs."""
    return np.array([int(group, 16) % folds for group in rows.group])


def without_fold(task: Task, fold: int, folds: int) -> Task:
    """The task whose test rows are one fold of its training rows, weak labels taken off."""
    out = fold_of(task.train, folds) == fold
    hidden = task.train.take(out)
    return replace(task, train=task.train.take(~out), test=Rows(hidden.kind, hidden.ids, hidden.texts))


class Warm:
    """A task opened once. `student` and its cached features are shared by all forks, copy on write."""

    def __init__(self, task_dir: Path) -> None:
        import torch

        torch.set_num_threads(1)
        torch.set_deterministic_debug_mode("error")
        self.task_dir, self.spec = task_dir, TaskSpec.load(task_dir)
        self.student = open_task(task_dir).student

    def serve(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run the named seeds of one method folder, and the folds asked for, one forked process each."""
        start, out = time.monotonic(), Path(request["out"])
        out.mkdir(parents=True, exist_ok=True)
        deadline = start + float(request.get("deadline_s", self.spec.deadline_s))
        codes = [self._fork(Path(request["method"]), out, run, cut, deadline) for run, cut in self._asked(request)]
        return {"id": request.get("id"), "code": max(codes, default=0), "seconds": round(time.monotonic() - start, 3)}

    def _asked(self, request: dict[str, Any]) -> Iterator[tuple[RunSpec, Cut | None]]:
        wanted = request.get("runs")
        yield from ((run, None) for run in self.spec.runs if wanted is None or run.name in wanted)
        name, folds = request.get("held_out") or ("", 0)
        for run in (run for run in self.spec.runs if run.name == name):
            for k in range(int(folds)):
                yield replace(run, name=f"{run.name}.fold{k}"), partial(without_fold, fold=k, folds=int(folds))

    def _fork(self, method: Path, out: Path, run: RunSpec, cut: Cut | None, deadline: float) -> int:
        if pid := os.fork():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.setpgid(pid, pid)  # here too: whoever comes first, the group exists before it may be killed
            return _wait(pid, deadline)
        os.setpgid(0, 0)
        devnull = os.open(os.devnull, os.O_RDWR)
        os.dup2(devnull, 0)
        os.dup2(2, 1)  # what a method prints is not an answer to the lab
        os._exit(run_one(self.task_dir, method, out, run, Watch(ALLOWED), student=self.student, cut=cut))


def _wait(pid: int, deadline: float) -> int:
    """Exit status of the child, TIMED_OUT if it had to be killed."""
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            _kill(pid)  # what it left running; a child that made its own session is the sandbox's affair
            return 0 if status == 0 else 1
        time.sleep(POLL_S)
    _kill(pid)
    os.waitpid(pid, 0)
    return TIMED_OUT


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def main(task_dir: str) -> None:
    warm = Warm(Path(task_dir))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(warm.serve(json.loads(line))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
