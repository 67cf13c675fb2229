"""Control groups of both versions, the sweep, and rlimits where there are none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aar.sandboxes import Limits
from aar.sandboxes.limits import OWN_PIDS, Group, Hierarchy, delegated, find_hierarchy, hierarchy, sweep

HYBRID = """31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
OWN = "5:cpu,cpuacct:/lab\n4:memory:/jobs/7\n1:name=systemd:/\n0::/lab\n"


def test_version_1_is_found_below_the_own_group() -> None:
    """Joint controllers share a folder; each lies where the caller's own group of it is."""
    found = find_hierarchy(HYBRID, OWN)
    joint = Path("/sys/fs/cgroup/cpu,cpuacct/lab")
    assert found.version == 1
    assert found.folders == {"cpu": joint, "cpuacct": joint, "memory": Path("/sys/fs/cgroup/memory/jobs/7")}


def test_container_root_is_taken_off() -> None:
    """A container mounts its own group as the root of the hierarchy; the path is relative to that."""
    mounts = "35 31 0:32 /docker/ab /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    assert find_hierarchy(mounts, "4:memory:/docker/ab/x\n").folders == {"memory": Path("/sys/fs/cgroup/memory/x")}


@pytest.fixture
def unified(tmp_path: Path) -> Path:
    """The files of a delegated version 2 group, as plain files: the kernel's own behaviour is not tried here."""
    (tmp_path / "cgroup.controllers").write_text("cpu io memory pids\n")
    (tmp_path / "cgroup.subtree_control").write_text("cpu memory pids\n")
    return tmp_path


def test_version_2_limits_and_events(unified: Path) -> None:
    """All limits go to one folder below the own group, and its event files say what was hit."""
    mounts = f"41 31 0:38 / {unified} rw,relatime - cgroup2 cgroup2 rw\n"
    found = find_hierarchy(mounts, "0::/\n")
    assert found == Hierarchy(2, dict.fromkeys(("memory", "pids", "cpu"), unified / "."))
    group = Group(Limits(memory_mb=3, pids=5, cpus=0.5, cpu_s=9), found)
    (folder,) = set(group.at.values())
    wrote = {name: (folder / name).read_text() for name in ("memory.max", "memory.swap.max", "pids.max", "cpu.max")}
    assert wrote == {
        "memory.max": str(3 << 20), "memory.swap.max": "0", "pids.max": str(5 + OWN_PIDS), "cpu.max": "50000 100000"
    }  # fmt: skip
    assert group.broken() is None
    (folder / "cpu.stat").write_text("usage_usec 9100000\n")
    assert group.broken() == "cpu"
    (folder / "memory.events").write_text("low 0\noom 1\noom_kill 1\n")
    assert group.broken() == "memory"
    (folder / "pids.events").write_text("max 1\n")
    assert group.broken() == "pids"


def test_undelegated_version_2_has_no_controllers(tmp_path: Path) -> None:
    """Without controllers for children there is nothing to use, and rlimits take over."""
    (tmp_path / "cgroup.controllers").write_text("memory pids\n")
    assert delegated(tmp_path) == []


def test_without_groups_rlimits_bound_each_process() -> None:
    """Memory, file size and processor time are bounded by the shell that starts the program."""
    group = Group(Limits(memory_mb=150, disk_mb=1, cpu_s=1), Hierarchy(1))
    code = """import resource as r
print([r.getrlimit(x) for x in (r.RLIMIT_DATA, r.RLIMIT_FSIZE, r.RLIMIT_CPU, r.RLIMIT_CORE)])
try: bytearray(400 << 20)
except MemoryError: print('bounded')"""
    command = ["/bin/sh", "-c", f'{group.shell()} && exec "$@"', "sh", sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True)
    limits = [(300 << 20, 300 << 20), (1 << 20, 1 << 20), (2, 3), (0, 0)]
    assert done.stdout == f"{limits}\nbounded\n", done


TREE = """import os, sys, threading, time
hold = bytearray(os.urandom(1 << 20) * 30)
if os.fork() == 0:
    threading.Thread(target=time.sleep, args=(60,)).start()
    time.sleep(60)
while time.process_time() < 0.3: pass
print(flush=True); time.sleep(60)"""


@pytest.mark.parametrize(
    ("limits", "stop"),
    [
        (Limits(memory_mb=20), "memory"),
        (Limits(pids=0), "pids"),
        (Limits(cpu_s=0.2), "cpu"),
        (Limits(memory_mb=1000, pids=1, cpu_s=60), None),
    ],
)
def test_without_groups_the_tree_is_watched(limits: Limits, stop: str | None) -> None:
    """Memory, tasks and processor time of a program and its children are summed."""
    group = Group(limits, Hierarchy(1))
    with subprocess.Popen([sys.executable, "-c", TREE], stdout=subprocess.PIPE, process_group=0) as program:
        group.watch(program.pid)
        assert program.stdout
        program.stdout.readline()
        assert group.broken() == stop
        assert len(group.pids()) == 2
        assert group.peak_mb() > 25
        os.killpg(program.pid, 9)


def _groups() -> bool:
    group = Group(Limits())
    group.remove()
    return bool(group.at)


@pytest.mark.skipif(not _groups(), reason="this host lets us make no control groups")
def test_sweep_kills_and_removes_what_a_dead_lab_left() -> None:
    """A group whose maker is gone is emptied and removed; one of a living maker is not touched."""
    own = next(iter(hierarchy().folders.values()))
    stale, living = own / "aar-999999999-1-0", Group(Limits())
    stale.mkdir()
    with subprocess.Popen(["/bin/sleep", "60"]) as orphan:
        (stale / "cgroup.procs").write_text(str(orphan.pid))
        sweep({own})
        assert orphan.wait(5) == -9
    assert not stale.exists()
    assert all(folder.exists() for folder in living.at.values())
    living.remove()
    assert not any(folder.exists() for folder in living.at.values())


def test_pid_zero_is_never_signalled(tmp_path: Path) -> None:
    """A foreign pid namespace shows as 0 in a group: killing 0 would kill ourselves."""
    stale = tmp_path / "own" / "aar-999999999-1-0"
    stale.mkdir(parents=True)
    (stale / "cgroup.procs").write_text("0\n")
    sweep({tmp_path / "own"})
    assert os.getpid() > 0
