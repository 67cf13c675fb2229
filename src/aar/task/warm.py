"""One warm process per researcher: imports and features are paid once, then every trial is a fork.

Lives in the researcher's sandbox. Reads one JSON request a line on standard input, answers one JSON line on standard
output: {"id", "method": folder, "out": folder, "runs": [names] | null, "deadline_s"} -> {"id", "code", "seconds"}.
What a run predicted lies in `out` (see `aar.task.runner`). A run that outlives its deadline is killed with its children.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from aar.task.folder import RunSpec, TaskSpec, open_task
from aar.task.runner import ALLOWED, Watch, run_one

POLL_S = 0.02
TIMED_OUT = 124


class Warm:
    """A task opened once. `student` and its cached features are shared by all forks, copy on write."""

    def __init__(self, task_dir: Path) -> None:
        import torch

        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        self.task_dir, self.spec = task_dir, TaskSpec.load(task_dir)
        self.student = open_task(task_dir).student

    def serve(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run the named seeds of one method folder, one forked process each."""
        start, out = time.monotonic(), Path(request["out"])
        out.mkdir(parents=True, exist_ok=True)
        wanted = request.get("runs")
        runs = [run for run in self.spec.runs if wanted is None or run.name in wanted]
        deadline = start + float(request.get("deadline_s", self.spec.deadline_s))
        codes = [self._fork(Path(request["method"]), out, run, deadline) for run in runs]
        return {"id": request.get("id"), "code": max(codes, default=0), "seconds": round(time.monotonic() - start, 3)}

    def _fork(self, method: Path, out: Path, run: RunSpec, deadline: float) -> int:
        if pid := os.fork():
            return _wait(pid, deadline)
        os.setsid()
        devnull = os.open(os.devnull, os.O_RDWR)
        os.dup2(devnull, 0)
        os.dup2(2, 1)  # what a method prints is not an answer to the lab
        os._exit(run_one(self.task_dir, method, out, run, Watch(ALLOWED), student=self.student))


def _wait(pid: int, deadline: float) -> int:
    """Exit status of the child, TIMED_OUT if it had to be killed."""
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return 0 if status == 0 else 1
        time.sleep(POLL_S)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return TIMED_OUT


def main(task_dir: str) -> None:
    warm = Warm(Path(task_dir))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(warm.serve(json.loads(line))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
