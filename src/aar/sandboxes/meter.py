"""What programs in sandboxes used, kept on the host as they run: the ledger's CPU-, GPU- and wall-hours come from here.

    {"run": one program, "cpu_s", "wall_s", "gpus"}    sums so far of that program; its last line counts

A line every EVERY_S and at the end, so a kill of the lab loses at most so much. Any number of processes append.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aar.sandboxes.base import Limits

EVERY_S = 10.0
_serial = itertools.count()


@dataclass(frozen=True)
class Used:
    """Seconds. `gpu_s` counts a GPU for as long as it was granted; `wall_s` adds programs up that ran side by side."""

    cpu_s: float = 0.0
    gpu_s: float = 0.0
    wall_s: float = 0.0


class Meter:
    """Of one program; writes nothing where its limits name no file."""

    def __init__(self, limits: Limits) -> None:
        self.path, self.gpus = limits.usage, len(limits.gpus)
        self.began = self._next = time.monotonic()
        self.run = f"{os.getpid()}-{time.time_ns()}-{next(_serial)}"

    def due(self, cpu_s: Callable[[], float]) -> None:
        """`keep`, where the last time was long ago. Cheap to call often."""
        if self.path and time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_S
            self.keep(cpu_s())

    def keep(self, cpu_s: float) -> None:
        if self.path:
            wall_s = time.monotonic() - self.began
            line = {"run": self.run, "cpu_s": round(cpu_s, 3), "wall_s": round(wall_s, 3), "gpus": self.gpus}
            with (
                contextlib.suppress(OSError),
                open(self.path, "ab", buffering=0) as file,
            ):  # a full disk is told elsewhere
                file.write(json.dumps(line).encode() + b"\n")


def used(path: Path) -> Used:
    """The sums of a file; nothing where there is none. A line cut short by a kill is left out."""
    last = {}
    for raw in path.read_bytes().splitlines() if path.exists() else ():
        with contextlib.suppress(ValueError, TypeError, KeyError):
            line = json.loads(raw)
            last[line["run"]] = (float(line["cpu_s"]), float(line["wall_s"]) * int(line["gpus"]), float(line["wall_s"]))
    return Used(*(round(sum(column), 3) for column in zip(*last.values(), strict=True)))
