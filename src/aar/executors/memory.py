"""The most memory this process and everything it started held at one time, in MB: proportional shares (PSS) added up."""

from __future__ import annotations

import contextlib
import threading

import psutil

EVERY_S = 2.0


class PeakMemory:
    """`with PeakMemory() as peak: ...; peak.mb`. Looks every EVERY_S; what comes and goes in between is not seen."""

    def __init__(self) -> None:
        self.mb = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="peak-memory", daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self.mb = max(self.mb, tree_mb())
            if self._end.wait(EVERY_S):
                return


def tree_mb(pid: int | None = None) -> float:
    """Now, of this process (or `pid`) and its descendants; resident size where the kernel keeps shares to itself."""
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        top = psutil.Process(pid)
        for process in [top, *top.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += _share(process)
    return total / 2**20


def _share(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss)
    except (psutil.AccessDenied, AttributeError):
        return float(process.memory_info().rss)
