"""Limits on memory, processes and processor: a control group for each run, rlimits and a watch where there is none.

Control groups are made below the caller's own, so that they never loosen a limit already put on the lab. Version 1
controllers are used where the host mounts them and lets us make groups, else version 2 if it is delegated to us. What
they do not give, `tree` measures and ends five to ten times a second, while rlimits bound each single process: twice
the memory, and the number of processes in a user namespace (which does not bind root).
A group is named after the process that made it; `sweep` kills and removes what a killed lab left behind.

Not covered: bandwidth of disk and memory, kernel objects other than tasks; `cpus` without a cpu controller.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import os
import re
import shlex
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aar.sandboxes.base import Limits, Stop
from aar.sandboxes.tree import Tree, Usage

CONTROLLERS = ("memory", "pids", "cpu", "cpuacct")
# bwrap's monitor and its process 1 are in the group too
OWN_PIDS = 2
_serial = itertools.count()


def _write(file: Path, value: object) -> bool:
    try:
        file.write_text(str(value))
        return True
    except OSError:
        return False


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def _field(file: Path, key: str) -> int:
    """The number behind `key` in a flat keyed file, 0 where it is absent."""
    return next((int(line.split()[1]) for line in _read(file).splitlines() if line.split()[:1] == [key]), 0)


@dataclass(frozen=True)
class Hierarchy:
    """The caller's own folder of each controller: `{"memory": /sys/fs/cgroup/memory/..., ...}`."""

    version: int
    folders: dict[str, Path] = field(default_factory=dict)


def find_hierarchy(mountinfo: str, own: str) -> Hierarchy:
    """Read /proc/self/mountinfo and /proc/self/cgroup. Version 1 wins where its memory controller is mounted."""
    paths = {names: path for _, names, path in (line.split(":", 2) for line in own.splitlines())}
    v1: dict[str, Path] = {}
    v2: Path | None = None
    for left, right in (line.split(" - ", 1) for line in mountinfo.splitlines() if " - cgroup" in line):
        root, point = left.split()[3:5]
        kind, _, options = right.split()[:3]
        if kind == "cgroup2":
            v2 = Path(point) / os.path.relpath(paths.get("", "/"), root)
            continue
        for names, path in paths.items():
            if names and set(names.split(",")) <= set(options.split(",")):
                v1 |= {c: Path(point) / os.path.relpath(path, root) for c in names.split(",") if c in CONTROLLERS}
    if "memory" in v1 or v2 is None:
        return Hierarchy(1, v1)
    return Hierarchy(2, dict.fromkeys(delegated(v2), v2))


def delegated(own: Path) -> list[str]:
    """The version 2 controllers that children of `own` can have; switches them on if we may. The kernel refuses
    while `own` itself holds processes (start the lab in a service with Delegate=yes and its own subgroup)."""
    for name in set(_read(own / "cgroup.controllers").split()) - set(_read(own / "cgroup.subtree_control").split()):
        if name in CONTROLLERS:
            _write(own / "cgroup.subtree_control", f"+{name}")
    return [name for name in CONTROLLERS if name in _read(own / "cgroup.subtree_control").split()]


@functools.cache
def hierarchy() -> Hierarchy:
    """The one of this host, as far as we may make groups in it."""
    found = find_hierarchy(_read(Path("/proc/self/mountinfo")), _read(Path("/proc/self/cgroup")))
    sweep(set(found.folders.values()))
    return Hierarchy(found.version, {name: own for name, own in found.folders.items() if os.access(own, os.W_OK)})


def known_failures() -> dict[str, str]:
    """Contract behaviours that need a controller this host does not give us."""
    return {} if "cpu" in hierarchy().folders else {"shares_cores": "no cpu controller for us on this host"}


def bound_processes(argv: Sequence[str], limits: Limits) -> list[str]:
    """The command under RLIMIT_NPROC, where no control group counts and the kernel counts by user namespace. To be
    run inside that namespace: outside, all processes of the user would count."""
    release = tuple(int(n) for n in re.findall(r"\d+", os.uname().release)[:2])
    if "pids" in hierarchy().folders or release < (5, 14):
        return list(argv)
    n = limits.pids + OWN_PIDS
    return ["/bin/sh", "-c", f'ulimit -u {n} 2>/dev/null || ulimit -p {n}; exec "$@"', "sh", *argv]


def started(pid: int) -> str:
    """Start time of a process in ticks, "" if there is none: with it a pid is unique."""
    stat = _read(Path(f"/proc/{pid}/stat"))
    return stat.rpartition(")")[2].split()[19] if stat else ""


def sweep(folders: set[Path]) -> None:
    """Kill and remove groups whose maker is gone: beside our own and below its siblings."""
    for own in folders:
        for stale in [*own.glob("aar-*-*-*"), *own.parent.glob("*/aar-*-*-*")]:
            _, pid, born, _ = stale.name.split("-")
            if started(int(pid)) != born:
                _empty(stale)
                with contextlib.suppress(OSError):
                    stale.rmdir()


def _members(folder: Path) -> set[int]:
    """The processes in a group. The kernel writes 0 for those of a foreign pid namespace: never signal that."""
    return {int(pid) for pid in _read(folder / "cgroup.procs").split()} - {0}


def _empty(folder: Path, within_s: float = 2.0) -> None:
    """SIGKILL everything in the group until it is empty. Killed tasks need a moment to leave."""
    end = time.monotonic() + within_s
    while (pids := _members(folder)) and time.monotonic() < end:
        for pid in pids:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)


class Group:
    """The control group of one run, whichever controllers the host has. Make it, enter it, watch it, remove it."""

    def __init__(self, limits: Limits, found: Hierarchy | None = None) -> None:
        found = found or hierarchy()
        self.limits, self.version = limits, found.version
        self._tree: Tree | None = None
        name = f"aar-{os.getpid()}-{started(os.getpid())}-{next(_serial)}"
        self.at: dict[str, Path] = {}
        for controller, own in found.folders.items():
            folder = own / name
            try:
                folder.mkdir(exist_ok=True)  # version 2, and joint mounts of version 1: one folder for several
            except OSError:
                continue
            if self._limit(controller, folder):
                self.at[controller] = folder

    def _limit(self, controller: str, folder: Path) -> bool:
        limits, v1 = self.limits, self.version == 1
        if controller == "memory":
            size = limits.memory_mb << 20
            done = _write(folder / ("memory.limit_in_bytes" if v1 else "memory.max"), size)
            _write(folder / ("memory.memsw.limit_in_bytes" if v1 else "memory.swap.max"), size if v1 else 0)
            return done
        if controller == "pids":
            return _write(folder / "pids.max", limits.pids + OWN_PIDS)
        if controller == "cpu" and limits.cpus is not None:
            quota = max(1000, round(limits.cpus * 100_000))
            return _write(folder / ("cpu.cfs_quota_us" if v1 else "cpu.max"), quota if v1 else f"{quota} 100000")
        return True

    def shell(self) -> str:
        """Commands for /bin/sh that move it into the group and put the rlimits on, before it execs the program."""
        limits = self.limits
        lines = [f"echo 0 > {shlex.quote(str(f / 'cgroup.procs'))}" for f in sorted(set(self.at.values()))]
        lines += ["ulimit -c 0", "ulimit -n 1024", f"ulimit -f {limits.disk_mb * 2048}"]
        if limits.cpu_s is not None:
            seconds = math.ceil(limits.cpu_s) + 1
            lines += [f"ulimit -S -t {seconds}", f"ulimit -H -t {seconds + 1}"]
        if "memory" not in self.at:
            lines.append(f"ulimit -d {2 * limits.memory_mb * 1024}")
        return " && ".join(lines)

    def watch(self, pid: int) -> None:
        """The program has started: what no controller measures is measured on its process tree."""
        self._tree = Tree(pid)

    def _usage(self) -> Usage:
        return self._tree.usage() if self._tree else Usage()

    def broken(self) -> Stop | None:
        """The limit that has been hit, if any."""
        limits = self.limits
        pids = self.at.get("pids")
        if _field(pids / "pids.events", "max") if pids else self.tasks() > limits.pids + OWN_PIDS:
            return "pids"
        if self._memory_hit():
            return "memory"
        if limits.cpu_s is not None and self.cpu_s() > limits.cpu_s:
            return "cpu"
        return None

    def _memory_hit(self) -> bool:
        if memory := self.at.get("memory"):
            return _field(memory / ("memory.oom_control" if self.version == 1 else "memory.events"), "oom_kill") > 0
        return self._usage().memory > self.limits.memory_mb << 20

    def cpu_s(self) -> float:
        """Processor seconds used by all of it."""
        if self.version == 2 and "cpu" in self.at:
            return _field(self.at["cpu"] / "cpu.stat", "usage_usec") / 1e6
        if "cpuacct" in self.at:
            return int(_read(self.at["cpuacct"] / "cpuacct.usage") or 0) / 1e9
        return self._usage().cpu_s

    def peak_mb(self) -> float:
        if "memory" not in self.at:
            return self._tree.peak_memory / 2**20 if self._tree else 0.0
        file = "memory.max_usage_in_bytes" if self.version == 1 else "memory.peak"
        return int(_read(self.at["memory"] / file) or 0) / 2**20

    def tasks(self) -> int:
        """Processes and threads."""
        pids = self.at.get("pids")
        return int(_read(pids / "pids.current") or 0) if pids else self._usage().tasks

    def pids(self) -> set[int]:
        """Everything that belongs to the run, as the host numbers it."""
        if not self.at:
            return set(self._usage().pids)
        return {pid for folder in self.at.values() for pid in _members(folder)}

    def remove(self) -> None:
        """Kill what is left and take the folders away."""
        for folder in set(self.at.values()):
            _empty(folder)
            with contextlib.suppress(OSError):
                folder.rmdir()
