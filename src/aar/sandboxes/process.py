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
from collections.abc import Sequence
from typing import IO

from aar.errors import ProviderDown
from aar.sandboxes.base import Limits, Outcome, Stop
from aar.sandboxes.limits import Group
from aar.sandboxes.quota import Quota

FLOOD = 8
TICK_S = 0.05


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


class Process:
    """A `Running`. `stdin` bytes: run to the end and keep stdout; None: the caller holds both pipes."""

    def __init__(
        self, argv: Sequence[str], files: Sequence[int], limits: Limits, quota: Quota, stdin: bytes | None
    ) -> None:
        self.limits, self.quota = limits, quota
        self.group = Group(limits)
        self.began = time.monotonic()
        self._stop: Stop | None = None
        self._outcome: Outcome | None = None
        self._child = self._spawn(argv, files)
        self.pid, self.stdin, self.stdout = self._child.pid, self._child.stdin, self._child.stdout
        cap = int(limits.output_mb * 2**20)
        self._captures = {2: Capture(self._child.stderr, cap)}
        if stdin is not None:
            self._captures[1] = Capture(self.stdout, cap)
            threading.Thread(target=_feed, args=(self.stdin, stdin), daemon=True).start()
        self._watcher = threading.Thread(target=self._watch, name=f"sandbox-{self.pid}", daemon=True)
        self._watcher.start()

    def _spawn(self, argv: Sequence[str], files: Sequence[int]) -> subprocess.Popen[bytes]:
        # a shell moves itself into the group and execs: running Python between fork and exec can deadlock
        line = ["/bin/sh", "-c", f'{self.group.shell()} && exec "$@"', "sh", *argv]
        pipe = subprocess.PIPE
        # env is empty: process 1 of the sandbox would show the lab's own in /proc/1/environ
        start = functools.partial(
            subprocess.Popen, line, stdin=pipe, stdout=pipe, stderr=pipe, env={}, cwd="/", pass_fds=tuple(files),
            start_new_session=True,
        )  # fmt: skip
        try:
            return _spawner(os.getpid()).submit(start).result()
        except OSError as error:
            self.group.remove()
            raise ProviderDown(f"cannot start a sandbox: {error}", code="sandbox_down") from error
        finally:
            for fd in files:
                os.close(fd)

    def _watch(self) -> None:
        exited = os.pidfd_open(self.pid)
        try:
            waiter = select.poll()
            waiter.register(exited, select.POLLIN)
            while not waiter.poll(TICK_S * 1000):
                if stop := self._stop or self._broken():
                    self._end(stop)
                    waiter.poll(5000)
                    break
            self._child.wait()
        finally:
            os.close(exited)
        self._finish()

    def _broken(self) -> Stop | None:
        if time.monotonic() - self.began > self.limits.wall_s:
            return "wall"
        if any(c.flooded for c in self._captures.values()):
            return "output"
        return self.group.broken() or ("disk" if self.quota.due(self.group.pids()) else None)

    def _end(self, stop: Stop) -> None:
        self._stop = stop
        self._child.kill()

    def _finish(self) -> None:
        stop = self._stop or self.group.broken()  # what killed it between two ticks
        code = self._child.returncode
        code = 128 - code if code < 0 else code
        if stop is None and code:
            stop = self._guess(code)
        peak = self.group.peak_mb()
        self.group.remove()
        kept = {n: c.result() for n, c in self._captures.items()}
        seconds = time.monotonic() - self.began
        self._outcome = Outcome(code, kept.get(1, b""), kept[2], seconds, peak, stop)

    def _guess(self, code: int) -> Stop | None:
        """Which rlimit a program died of, from the signal or from a full workspace."""
        if code == 128 + signal.SIGXCPU:
            return "cpu"
        full = self.quota.folders and self.quota.exceeded(share=0.99)
        return "disk" if full or code == 128 + signal.SIGXFSZ else None

    def poll(self) -> Outcome | None:
        """The outcome, or None while it runs."""
        return self._outcome

    def wait(self, timeout_s: float | None = None) -> Outcome:
        """Wait for the end. TimeoutError if it takes longer than `timeout_s`; the program goes on."""
        self._watcher.join(timeout_s)
        if self._outcome is None:
            raise TimeoutError(f"still running after {timeout_s} s")
        return self._outcome

    def kill(self) -> Outcome:
        """End it now, with everything it started, and close its pipes. Only the latter to one that has ended."""
        if self._outcome is None and self._stop is None:
            self._end("cancelled")
        outcome = self.wait(10)
        for pipe in (self.stdin, self.stdout):
            with contextlib.suppress(OSError):  # what was not flushed has no reader any more
                pipe.close()
        return outcome
