"""Run a method folder on a task folder, inside the sandbox: `runner.main(task, method, out)`.

Every run (seed) happens in a process forked from this one, so that imports are paid once and no state leaks from
one seed to the next. Writes `out/<run>.json` {"ids", "p"} or `out/<run>.error.json` {"code", "message", "trace"},
and `out/<run>.log.jsonl`. Nothing here is trusted: the lab checks what comes out as if a stranger had written it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from aar.errors import AarError, MethodError
from aar.task.folder import RunSpec, TaskSpec, open_task
from aar.types import Model, Predictions, Task

TRACE_LINES = 30
OUTSIDE = "the method tried to open {}, outside what a run is given"
ALLOWED = (
    "/task",
    "/method",
    "/workspace",
    "/features",
    "/models",
    "/tmp",
    "/opt",
    "/usr",
    "/lib",
    "/proc",
    "/dev",
    "/sys",
    "/etc",
    sys.prefix,
    sys.base_prefix,
)


class Watch:
    """Notes what a method tries that the sandbox denies, so that a failure is reported as what it was.

    An honest reporter, not a guard: a method can remove it. What denies is the sandbox.
    """

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self.allowed = allowed
        self.seen: dict[str, str] = {}

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "socket.__new__" and len(args) > 1 and int(args[1]) in (2, 10):  # AF_INET, AF_INET6
            self.seen.setdefault("opened_socket", "the method opened a network socket; a run has no network")
        elif event == "open" and isinstance(args[0], str | bytes):
            path = os.path.abspath(os.fsdecode(args[0]))
            if not path.startswith(self.allowed):
                self.seen.setdefault("read_outside", OUTSIDE.format(path[:200]))

    def check(self) -> None:
        for code, message in self.seen.items():
            raise MethodError(message, code=code, hint="a method gets all it may use through `task`")


def load_method(folder: Path) -> ModuleType:
    """Import `folder/method.py`. Its siblings can be imported too, but come last: they shadow nothing."""
    path = folder / "method.py"
    if not path.is_file():
        raise MethodError("the method folder has no method.py", code="no_method", hint="write run(task) in method.py")
    sys.path.append(str(folder))
    spec = importlib.util.spec_from_file_location("method", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["method"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not callable(getattr(module, "run", None)):
        raise MethodError("method.py defines no run(task)", code="no_method", hint="def run(task): ...")
    return module


def call_method(module: ModuleType, task: Task) -> Predictions:
    """Run it and check the answer's form against `task.test`."""
    answer = module.run(task)
    if not isinstance(answer, Predictions):
        raise MethodError(
            f"run() returned {type(answer).__name__}, not Predictions",
            code="bad_return",
            hint="return aar.types.Predictions(task.test.ids, p)",
        )
    answer.aligned(task.test.ids)
    return answer


def _write(path: Path, value: Any) -> None:
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(value))
    os.replace(temporary, path)


def _as_watched(error: BaseException, watch: Watch | None) -> BaseException:
    """An OSError after a forbidden act is reported as that act."""
    if isinstance(error, FileNotFoundError | PermissionError) and isinstance(error.filename, str):
        path = os.path.abspath(error.filename)
        if watch and not path.startswith(tuple(a for a in watch.allowed if a != "/tmp")):
            watch.seen.setdefault("read_outside", OUTSIDE.format(path[:200]))
    try:
        if watch and not isinstance(error, AarError):
            watch.check()
    except MethodError as act:
        return act
    return error


def _code(error: BaseException) -> str:
    """What a plain exception says of the run: an allocation that was refused, or anything else."""
    refused = isinstance(error, MemoryError) or "can't allocate memory" in str(error)
    return "out_of_memory" if refused else "method_raised"


def run_one(
    task_dir: Path,
    method_dir: Path,
    out: Path,
    run: RunSpec,
    watch: Watch | None = None,
    student: Model | None = None,
    cut: Callable[[Task], Task] | None = None,
) -> int:
    """One seed, in this process. Exit status 0, or 1 with the error written down. `student`: one already opened;
    `cut` changes the task before the method sees it."""
    start = time.monotonic()
    with (out / f"{run.name}.log.jsonl").open("w", buffering=1) as sink:

        def log(**scalars: Any) -> None:
            sink.write(json.dumps({"t": round(time.monotonic() - start, 2), **scalars}, default=str) + "\n")

        try:
            task = open_task(task_dir, run, log=log)
            task = replace(task, student=student) if student else task
            task = cut(task) if cut else task
            if watch:
                sys.addaudithook(watch)
            answer = call_method(load_method(method_dir), task)
            if watch:
                watch.check()
            _write(out / f"{run.name}.json", {"ids": answer.ids, "p": answer.p.tolist()})
            return 0
        except BaseException as raised:  # the one boundary: whatever a method raises is reported, never lost
            error = _as_watched(raised, watch)
            code = error.code if isinstance(error, AarError) else _code(error)
            trace = "\n".join(traceback.format_exc().splitlines()[-TRACE_LINES:])
            message = f"{type(error).__name__}: {getattr(error, 'message', error)}"
            _write(out / f"{run.name}.error.json", {"code": code, "message": message[:2000], "trace": trace[:8000]})
            return 1


def main(task_dir: str, method_dir: str, out_dir: str) -> int:
    """All runs of the task, one forked process each, in order. Returns the worst exit status."""
    import torch

    import aar.models.student  # noqa: F401  (paid once, before forking)

    torch.set_num_threads(1)
    torch.set_deterministic_debug_mode("error")
    task, method, out = Path(task_dir), Path(method_dir), Path(out_dir)
    out.mkdir(exist_ok=True)
    worst = 0
    for run in TaskSpec.load(task).runs:
        if pid := os.fork():
            worst = max(worst, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) and 1)
        else:
            os._exit(run_one(task, method, out, run, Watch(ALLOWED)))
    return worst


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
