"""A researcher's jobs, seen from the lab: their server (`aar.task.jobs`), warm in a sandbox with the researcher's own workspace.

It belongs to the hands, so jobs outlive each turn and the process that thinks. It is started again when it ended, whatever
ended it; jobs that ran in it are then lost, and say so.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import replace

from aar.errors import AarError
from aar.sandboxes import PYTHON, Limits, Mount, Running, Sandbox

SERVE = (PYTHON, "-I", "-m", "aar.task.jobs", "serve")
LIFE_S = 86_400 * 30
PAUSE_S = 2.0


class Jobs:
    """`serve` starts it, once; `close` ends it, with every job."""

    def __init__(self) -> None:
        self._running: Running | None = None
        self._thread: threading.Thread | None = None
        self._end = threading.Event()

    def serve(self, sandbox: Sandbox, mounts: Sequence[Mount], limits: Limits) -> None:
        """Does not wait: whoever asks it for something does."""
        if self._thread is None:
            bounds = replace(limits, wall_s=LIFE_S)
            self._thread = threading.Thread(target=self._keep, args=(sandbox, mounts, bounds), name="jobs", daemon=True)
            self._thread.start()

    def close(self) -> None:
        self._end.set()
        if running := self._running:
            with contextlib.suppress(TimeoutError, AarError):
                running.kill()
        if self._thread:
            self._thread.join(15)

    def _keep(self, sandbox: Sandbox, mounts: Sequence[Mount], limits: Limits) -> None:
        why = "the lab was stopped or killed"
        while not self._end.is_set():
            with contextlib.suppress(AarError):
                self._running = running = sandbox.start([*SERVE, why], mounts, limits=limits)
                if self._end.is_set():
                    running.kill()
                stopped = running.wait().stopped_by
                why = f"its sandbox broke the {stopped} limit" if stopped else "its server was killed"
            self._end.wait(PAUSE_S)
