"""What a program and all its descendants use, from /proc: for limits that no control group watches.

A look costs a read per process of the host, so looks are paced. Between two of them a program can exceed its limits;
memory that is shared or swapped is not counted, and what a fork shares until it is written is counted twice. Orphans
are found because a sandbox's first process adopts them.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from dataclasses import dataclass, field

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Usage:
    """`tasks` counts threads; `memory` is in bytes, private to a process; `cpu_s` includes children that ended."""

    pids: frozenset[int] = frozenset()
    tasks: int = 0
    memory: int = 0
    cpu_s: float = 0.0


def _numbers(pid: int, name: str) -> list[str]:
    """The fields of /proc/PID/stat behind the command name, or of statm; [] for a process that is gone."""
    try:
        with open(f"/proc/{pid}/{name}") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def look(root: int) -> Usage:
    """The process `root` and everything below it, now."""
    stats = {pid: line for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if (line := _numbers(pid, "stat"))}
    children = defaultdict(list)
    for pid, line in stats.items():
        children[int(line[1])].append(pid)
    family, todo = [], [root] if root in stats else []
    while todo:
        family.append(pid := todo.pop())
        todo += children[pid]
    statm = [sizes for pid in family if (sizes := _numbers(pid, "statm"))]
    return Usage(
        frozenset(family),
        sum(int(stats[pid][17]) for pid in family),
        sum(int(sizes[1]) - int(sizes[2]) for sizes in statm) * PAGE_BYTES,
        sum(int(ticks) for pid in family for ticks in stats[pid][11:15]) / TICKS_PER_S,
    )


@dataclass
class Tree:
    """Paced looks at one program: at most ten a second, and at most a tenth of a core."""

    root: int
    peak_memory: int = 0
    _last: Usage = field(default=Usage())
    _next: float = 0.0

    def usage(self) -> Usage:
        begin = time.monotonic()
        if begin >= self._next:
            self._last = look(self.root)
            took = time.monotonic() - begin
            self._next = begin + max(0.1, 10 * took)
            self.peak_memory = max(self.peak_memory, self._last.memory)
        return self._last
