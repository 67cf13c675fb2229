"""One program in a sandbox, from launch to outcome: pipes, the clock, the limits, and the end of everything in it.

Shared by the providers; knows nothing of how a program is locked in. Output is read as it comes and cut at a cap: only
the head is kept, and a program that writes FLOOD times the cap is stopped.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, cast

from aar.errors import AarError, LabError, ProviderDown
from aar.sandboxes.base import Limits, Outcome, Stop
from aar.sandboxes.limits import Group
from aar.sandboxes.meter import Meter
from aar.sandboxes.quota import Quota

FLOOD = 8
TICK_S, SLOW_TICK_S, YOUNG_S = 0.05, 0.2, 10.0  # between looks; a program that has run for long is looked at less often


@functools.cache
def _spawner(pid: int) -> concurrent.futures.ThreadPoolExecutor:
    """The one thread that starts programs. "Die with the parent" means: with the thread that started it, so that
    thread must live as long as the lab does."""
    return concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix=f"sandbox-spawner-{pid}")


class Capture:
    """Reads a pipe to its end; keeps the first `cap` bytes."""

    def __init__(self, pipe: IO[bytes], cap: int) -> None:
        self.cap, self.seen, self.kept = cap, 0, bytearray()
        self.thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self.thread.start()

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe, contextlib.suppress(OSError, ValueError):
            while block := os.read(pipe.fileno(), 1 << 16):
                self.seen += len(block)
                self.kept += block[: max(0, self.cap - len(self.kept))]

    @property
    def flooded(self) -> bool:
        return self.seen > self.cap * FLOOD

    def result(self) -> bytes:
        self.thread.join(5)
        return bytes(self.kept)


def _feed(pipe: IO[bytes], data: bytes) -> None:
    with contextlib.suppress(OSError), pipe:
        pipe.write(data)


class Bounds(Protocol):
    """What holds a program's limits and measures it; see `limits.Group`."""

    def shell(self) -> str: ...
    def watch(self, pid: int) -> None: ...
    def broken(self) -> Stop | None: ...
    def cpu_s(self) -> float: ...
    def peak_mb(self) -> float: ...
    def pids(self) -> set[int]: ...
    def remove(self) -> None: ...


@dataclass(frozen=True)
class Launch:
    """A command that locks a program in. `files` are passed on and closed here. The launcher reports on the other
    end of `status`: without `ran` in it the program never started, and stderr is the launcher's own. `bounds`: where
    something else than a control group of ours holds the limits."""

    argv: Sequence[str]
    files: Sequence[int]
    status: int
    ran: bytes
    not_found: bytes  # in stderr: the program cannot be executed, which is the caller's affair, not the sandbox's
    end: int = signal.SIGKILL  # what ends the launcher and with it everything inside
    cleanup: Callable[[], None] = lambda: None
    folders: Sequence[Path] = ()  # writable ones besides the mounts
    bounds: Bounds | None = None


def _drain(pipe: int) -> bytes:
    """What has been written to this pipe; closes it. Does not wait for writers."""
    os.set_blocking(pipe, False)
    with open(pipe, "rb", buffering=0) as file:
        return file.read(1 << 16) or b""


class Process:
    """A `Running`. `stdin` bytes: run to the end and keep stdout; None: the caller holds both pipes."""

    def __init__(self, launch: Launch, limits: Limits, quota: Quota, stdin: bytes | None) -> None:
        self.launch, self.limits, self.quota = launch, limits, quota
        self.group = launch.bounds or Group(limits)
        self.meter = Meter(limits)
        self.began = time.monotonic()
        self._stop: Stop | None = None
        self._outcome: Outcome | None = None
        self._failure: AarError | None = None
        self._child = self._spawn()
        self.pid = self._child.pid
        self.group.watch(self.pid)
        self.stdin, self.stdout = cast("IO[bytes]", self._child.stdin), cast("IO[bytes]", self._child.stdout)
        cap = int(limits.output_mb * 2**20)
        self._captures = {2: Capture(cast("IO[bytes]", self._child.stderr), cap)}
        if stdin is not None:
            self._captures[1] = Capture(self.stdout, cap)
            threading.Thread(target=_feed, args=(self.stdin, stdin), daemon=True).start()
        self._watcher = threading.Thread(target=self._watch, name=f"sandbox-{self.pid}", daemon=True)
        self._watcher.start()

    def _spawn(self) -> subprocess.Popen[bytes]:
        # a shell moves itself into the group and execs: running Python between fork and exec can deadlock
        line = ["/bin/sh", "-c", f'{self.group.shell()} && exec "$@"', "sh", *self.launch.argv]
        pipe = subprocess.PIPE
        # env is empty: process 1 of the sandbox would show the lab's own in /proc/1/environ

        def start() -> subprocess.Popen[bytes]:
            files = tuple(self.launch.files)
            return subprocess.Popen(
                line, stdin=pipe, stdout=pipe, stderr=pipe, env={}, cwd="/", pass_fds=files, start_new_session=True
            )

        try:
            return _spawner(os.getpid()).submit(start).result()
        except OSError as error:
            self.group.remove()
            self.launch.cleanup()
            os.close(self.launch.status)
            raise ProviderDown(f"cannot start a sandbox: {error}", code="sandbox_down") from error
        finally:
            for fd in self.launch.files:
                os.close(fd)

    def _watch(self) -> None:
        try:
            self._guard()
            self._finish()
        except Exception as error:  # whatever it is: nothing may run on unwatched, and no caller wait for ever
            self._child.kill()
            self._child.wait()
            self.group.remove()
            self._failure = LabError(f"lost control of a sandboxed program: {error!r}")

    def _guard(self) -> None:
        """Until the launcher has exited: by itself, or because a limit was hit."""
        exited = os.pidfd_open(self.pid)
        try:
            waiter = select.poll()
            waiter.register(exited, select.POLLIN)
            while not waiter.poll(1000 * self._tick()):
                self.meter.due(self.group.cpu_s)
                if stop := self._stop or self._broken():
                    self._end(stop)
                    if not waiter.poll(5000):
                        self._child.kill()
                    break
            self._child.wait()
        finally:
            os.close(exited)

    def _tick(self) -> float:
        return TICK_S if time.monotonic() - self.began < YOUNG_S else SLOW_TICK_S

    def _broken(self) -> Stop | None:
        if time.monotonic() - self.began > self.limits.wall_s:
            return "wall"
        if any(c.flooded for c in self._captures.values()):
            return "output"
        return self.group.broken() or ("disk" if self.quota.due(self.group.pids()) else None)

    def _end(self, stop: Stop) -> None:
        self._stop = stop
        self._child.send_signal(self.launch.end)

    def _finish(self) -> None:
        stop = self._stop or self.group.broken()  # what hit it between two ticks
        code = self._child.returncode
        code = 128 - code if code < 0 else code
        if stop is None and code:
            stop = self._guess(code)
        peak = self.group.peak_mb()
        self.meter.keep(self.group.cpu_s())
        self.group.remove()
        self.launch.cleanup()
        kept = {n: c.result() for n, c in self._captures.items()}
        ran = bool(stop) or self.launch.ran in _drain(self.launch.status)
        if not ran and self.launch.not_found not in kept[2]:
            text = kept[2].decode(errors="replace").strip() or f"exit {code}"
            self._failure = ProviderDown(f"the sandbox could not be set up: {text}", code="sandbox_down")
        seconds = time.monotonic() - self.began
        self._outcome = Outcome(code if ran else 127, kept.get(1, b""), kept[2], seconds, peak, stop)

    def _guess(self, code: int) -> Stop | None:
        """Which rlimit a program died of, from the signal or from a full workspace."""
        if code == 128 + signal.SIGXCPU:
            return "cpu"
        full = self.quota.folders and self.quota.exceeded(share=0.99)
        return "disk" if full or code == 128 + signal.SIGXFSZ else None

    def poll(self) -> Outcome | None:
        """The outcome, or None while it runs. ProviderDown if it never came to run, LabError if we lost it."""
        if self._failure:
            raise self._failure
        return self._outcome

    def wait(self, timeout_s: float | None = None) -> Outcome:
        """Wait for the end. TimeoutError if it takes longer than `timeout_s`; the program goes on."""
        self._watcher.join(timeout_s)
        outcome = self.poll()
        if outcome is None:
            raise TimeoutError(f"still running after {timeout_s} s")
        return outcome

    def kill(self) -> Outcome:
        """End it now, with everything it started, and close its pipes. Only the latter to one that has ended."""
        if self._outcome is None and self._stop is None:
            self._end("cancelled")
        try:
            return self.wait(10)
        finally:
            for pipe in (self.stdin, self.stdout):
                with contextlib.suppress(OSError):  # what was not flushed has no reader any more
                    pipe.close()
