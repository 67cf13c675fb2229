"""A researcher's hands: one warm process in its sandbox that runs methods on public rows. `aar.task.warm` is inside.

Starts with the first trial, stays warm, and is started again when it was killed. Nothing that comes out is trusted: a
reply is one bounded line that must fit the request, files are read with `sandboxes.results`, and the host writes
nothing where the sandbox can write while it runs. Knows neither budgets nor what a method is for.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aar.errors import InputError, MethodError, ProviderDown
from aar.researchers.base import Stopped
from aar.researchers.jobs import Jobs
from aar.sandboxes import PYTHON, WORKSPACE, Limits, Mount, Running, Sandbox, available, results
from aar.scoring.layout import PUBLIC_FEATURES, STUDENT

METHODS = "/methods"
START_S = 120.0
GRACE_S = 10.0  # beyond a request's own deadline, which the warm process keeps itself
MAX_LINE = 4096
TRIES = 3
RESEARCH_LIMITS = Limits(wall_s=86_400, memory_mb=2048, pids=64, disk_mb=256, output_mb=8)


@dataclass(frozen=True)
class Reply:
    """`code`: 0, 1 when a run failed, 124 when one ran out of time. The files say what each run gave."""

    code: int
    seconds: float


class RunsMethods(Protocol):
    """What a bench needs of hands. Paths are the host's; `out` is a name below `workspace`. `sandbox`: where this
    researcher's programs run, with the hosts that are open to it."""

    @property
    def sandbox(self) -> Sandbox: ...

    jobs: Jobs
    methods: Path
    workspace: Path
    task: Path
    mounts: tuple[Mount, ...]

    def run(
        self,
        method: str,
        out: str,
        runs: Sequence[str] | None = None,
        held_out: tuple[str, int] | None = None,
        deadline_s: float = 60.0,
    ) -> Reply: ...
    def close(self) -> None: ...


class Lost(Exception):
    """The warm process is gone or talks nonsense; `limit` names the limit that ended it, `down` is set where the sandbox
    itself broke, or was killed from outside, which looks the same."""

    def __init__(self, why: str, limit: str | None = None, down: ProviderDown | None = None) -> None:
        super().__init__(why)
        self.limit, self.down = limit, down


class Hands:
    """`mounts` must show the task at /task, the methods at METHODS (read-only) and a workspace at WORKSPACE."""

    def __init__(self, sandbox: Sandbox, mounts: Sequence[Mount], limits: Limits = RESEARCH_LIMITS) -> None:
        self.sandbox, self.mounts, self.limits = sandbox, tuple(mounts), limits
        self.task, self.methods, self.workspace = (self._source(at) for at in ("/task", METHODS, WORKSPACE))
        self.jobs = Jobs()
        self._running: Running | None = None
        self._buffer = b""
        self._requests = 0
        self._closed = False
        self._lock = threading.Lock()

    def run(
        self,
        method: str,
        out: str,
        runs: Sequence[str] | None = None,
        held_out: tuple[str, int] | None = None,
        deadline_s: float = 60.0,
    ) -> Reply:
        """Run `methods/<method>` with its output in `workspace/<out>`. A process that was killed from outside is
        started again; MethodError where the method broke a limit of the sandbox, ProviderDown without a sandbox."""
        request = {
            "method": f"{METHODS}/{method}",
            "out": f"{WORKSPACE}/{out}",
            "runs": None if runs is None else list(runs),
            "held_out": held_out,
            "deadline_s": deadline_s,
        }
        with self._lock:
            for left in reversed(range(TRIES)):
                try:
                    return self._ask(request, deadline_s + GRACE_S)
                except Lost as lost:
                    self._stop()
                    self._give_up(lost, left)
        raise AssertionError("unreachable")

    def _give_up(self, lost: Lost, left: int) -> None:
        """Returns where another try is worth it."""
        if self._closed:
            raise Stopped("the trial was cut short: the study stops") from lost
        if lost.limit not in (None, "wall", "cancelled"):  # the wall is the process's life, not a run's
            raise MethodError(f"the trial was stopped: {lost}", code=f"{lost.limit}_limit") from lost
        if not left:
            raise lost.down or MethodError(f"the trial was lost {TRIES} times: {lost}", code="trial_lost") from lost

    def close(self) -> None:
        """End the process and all jobs, also in the middle of a run, which then raises `Stopped`. For good."""
        self._closed = True
        self.jobs.close()
        self._stop()

    @property
    def pid(self) -> int | None:
        """Of the sandbox's first process on the host."""
        return self._running.pid if self._running else None

    def _source(self, target: str) -> Path:
        found = [m.source for m in self.mounts if m.target == target]
        if not found:
            raise InputError(f"nothing is mounted at {target}", code="bad_mount", hint="see hands.mounts_for")
        return found[0]

    def _ask(self, request: dict[str, Any], timeout_s: float) -> Reply:
        self._start()
        running = self._running
        self._requests += 1
        line = json.dumps({"id": self._requests, **request}).encode() + b"\n"
        try:
            if running is None:
                raise OSError("the hands are closed")
            running.stdin.write(line)
            running.stdin.flush()
        except (OSError, ValueError) as error:  # ValueError: closed by another thread
            raise self._lost(str(error)) from error
        return _checked(self._read_json(timeout_s), self._requests)

    def _start(self) -> None:
        if self._closed:
            raise Lost("the hands are closed")
        with contextlib.suppress(ProviderDown):  # it was killed before it was asked for anything
            if self._running and self._running.poll() is None:
                return
        self._stop()
        shutil.rmtree(self.workspace, ignore_errors=True)  # nothing runs that could put a link in the way
        self.workspace.mkdir(parents=True, exist_ok=True)
        self._buffer = b""
        self._running = self.sandbox.start(
            [PYTHON, "-I", "-m", "aar.task.warm", "/task"], self.mounts, limits=self.limits
        )
        if self._closed:  # while it started
            raise self._lost("the hands are closed")
        if self._read_json(START_S) != {"ready": True}:
            raise self._lost("it did not say that it is ready")

    def _read_json(self, timeout_s: float) -> Any:
        """The next line, at most MAX_LINE long, within the time."""
        end = time.monotonic() + timeout_s
        while b"\n" not in self._buffer:
            block = self._read_block(end - time.monotonic())
            if len(self._buffer) > MAX_LINE:
                raise self._lost("its answer is too long")
            self._buffer += block
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            return results.parse_json(line, "the reply")
        except MethodError as error:
            raise self._lost(error.message) from error

    def _read_block(self, timeout_s: float) -> bytes:
        running = self._running
        if running is None:
            raise Lost("the hands are closed")
        try:
            fd = running.stdout.fileno()
            waiter = select.poll()
            waiter.register(fd, select.POLLIN)
            if not waiter.poll(max(0.0, timeout_s) * 1000):
                raise self._lost("no answer in time")
            block = os.read(fd, MAX_LINE)
        except (OSError, ValueError):  # closed by another thread
            block = b""
        if not block:
            raise self._lost("it ended")
        return block

    def _lost(self, why: str) -> Lost:
        """The reason, with the limit that ended the process and the end of what it wrote."""
        if self._running is None:  # closed meanwhile
            return Lost(why)
        try:
            outcome = self._running.kill()
        except TimeoutError:
            return Lost(why)
        except ProviderDown as down:
            return Lost(why, down=down)
        tail = outcome.stderr[-300:].decode(errors="replace").strip()
        return Lost(f"{why} {tail}".strip(), outcome.stopped_by)

    def _stop(self) -> None:
        running, self._running = self._running, None
        if running:
            with contextlib.suppress(TimeoutError, ProviderDown):
                running.kill()


def _checked(reply: Any, id_: int) -> Reply:
    """Lost unless it is the answer to this request."""
    try:
        code, seconds = reply["code"], reply["seconds"]
        if reply["id"] != id_ or code not in (0, 1, 124) or not 0 <= float(seconds) < 1e6:
            raise ValueError(reply)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Lost("an answer that does not fit the request") from error
    return Reply(int(code), float(seconds))


def mounts_for(
    home: Path, task: Path, features: Path, student: Path, findings: Path, socket: Path | None
) -> list[Mount]:
    """What a researcher's sandbox sees. Makes what is missing of its own: `home/methods` and `home/workspace`."""
    methods, workspace = home / "methods", home / "workspace"
    for folder in (methods, workspace, findings):
        folder.mkdir(parents=True, exist_ok=True)
    shown = [
        Mount(task, "/task"),
        Mount(methods, METHODS),
        Mount(workspace, WORKSPACE, writable=True),
        Mount(features, PUBLIC_FEATURES),
        Mount(student, STUDENT),
        Mount(findings, "/findings"),
    ]
    return shown + ([Mount(socket, "/lab")] if socket else [])


def open_hands(
    home: Path,
    task: Path,
    features: Path,
    student: Path,
    findings: Path,
    socket: Path | None = None,
    sandbox: Sandbox | None = None,
    limits: Limits = RESEARCH_LIMITS,
) -> Hands:
    """The hands of the researcher whose folder is `home`. `socket`: the folder with its own api.sock."""
    return Hands(sandbox or available(), mounts_for(home, task, features, student, findings, socket), limits)
