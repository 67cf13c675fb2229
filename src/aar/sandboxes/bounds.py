"""Contract behaviours: every resource is bounded, the outcome names what ended a program, and nothing outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from aar.sandboxes.base import PYTHON, Sandbox, Stop
from aar.sandboxes.contract import SMALL, attack, behaviour, python, workspace
from aar.sandboxes.hostile import HOSTILE
from aar.sandboxes.limits import hierarchy, sweep
from aar.sandboxes.view import package


def _ended_by(sandbox: Sandbox, folder: Path, stop: Stop, program: str, *args: object, **limits: Any) -> float:
    """Run a hostile program that must be stopped by that limit; the seconds it took."""
    outcome = attack(sandbox, folder, program, *args, **limits)
    assert outcome.stopped_by == stop, outcome
    assert outcome.code != 0, outcome
    return outcome.seconds


@behaviour
def wall(sandbox: Sandbox, folder: Path) -> None:
    """A program is ended when its time is up, soon after: within a second and what it takes to start and end one here."""
    around = python(sandbox, folder, "pass").seconds
    assert _ended_by(sandbox, folder, "wall", "infinite_loop", wall_s=1) < 2 + 2 * around


@behaviour
def cpu(sandbox: Sandbox, folder: Path) -> None:
    """A program is ended when it has used its processor time."""
    _ended_by(sandbox, folder, "cpu", "infinite_loop", cpu_s=1)


@behaviour
def memory(sandbox: Sandbox, folder: Path) -> None:
    """A program that takes more memory than it may is ended, and not by a lack of time."""
    _ended_by(sandbox, folder, "memory", "memory_hog")


@behaviour
def memory_of_children(sandbox: Sandbox, folder: Path) -> None:
    """A child that takes too much ends the whole program."""
    _ended_by(sandbox, folder, "memory", "memory_child")


@behaviour
def pids(sandbox: Sandbox, folder: Path) -> None:
    """A fork bomb is ended at the limit of processes."""
    _ended_by(sandbox, folder, "pids", "fork_bomb")


@behaviour
def disk(sandbox: Sandbox, folder: Path) -> None:
    """A workspace cannot be filled far beyond its quota, by listed or unlinked files."""
    _ended_by(sandbox, folder, "disk", "unlinked_filler", ".")
    _ended_by(sandbox, folder, "disk", "disk_filler", ".")
    held = sum(file.stat().st_size for file in (folder / "workspace").iterdir()) / 2**20
    assert held < 20 * SMALL.disk_mb, f"{held:.0f} MB were written, {SMALL.disk_mb} allowed"


@behaviour
def disk_of_tmp(sandbox: Sandbox, folder: Path) -> None:
    """/tmp is private and bounded: by its size, or as part of the quota."""
    begin = time.time()
    outcome = attack(sandbox, folder, "disk_filler", "/tmp")
    assert outcome.code != 0, outcome
    strays = [file for file in Path("/tmp").glob("[0-9]") if file.stat().st_mtime > begin]
    assert strays == []


@behaviour
def output(sandbox: Sandbox, folder: Path) -> None:
    """A flood of output is cut, then ended."""
    outcome = attack(sandbox, folder, "output_flood")
    assert outcome.stopped_by == "output", outcome.stopped_by
    assert len(outcome.stdout) == SMALL.output_mb * 2**20


@behaviour
def shares_cores(sandbox: Sandbox, folder: Path) -> None:
    """`cpus` bounds the share of the processor."""
    code = "end = time.time() + 1\nwhile time.time() < end: pass\nprint(time.process_time())"
    # compared, not taken as it is: on a busy host a program gets little of a core anyway
    free, bound = (float(python(sandbox, folder, code, cpus=cpus).stdout) for cpus in (None, 0.05))
    assert bound < 0.6 * free, f"{bound:.2f} s of processor time in a second, {free:.2f} s unbound"


def _still_beats(heart: Path) -> bool:
    """Does something still write into this file? Waits for 15 beats."""
    before = heart.stat().st_mtime_ns
    time.sleep(0.3)
    return heart.stat().st_mtime_ns != before


@behaviour
def kills_the_tree(sandbox: Sandbox, folder: Path) -> None:
    """When a program is stopped, double-forked children in sessions of their own end with it."""
    _ended_by(sandbox, folder, "wall", "survivor", "heart", 60, wall_s=2)
    assert not _still_beats(folder / "workspace" / "heart"), "a child survived the time limit"


@behaviour
def leaves_nothing_running(sandbox: Sandbox, folder: Path) -> None:
    """When a program ends by itself, what it left in the background ends too."""
    outcome = attack(sandbox, folder, "survivor", "heart", 0)
    assert outcome.code == 0, outcome
    assert outcome.seconds < 10, "waited for a background process"
    assert not _still_beats(folder / "workspace" / "heart"), "a child survived its program"


@behaviour
def warm_limits(sandbox: Sandbox, folder: Path) -> None:
    """The limits of a started program hold over its whole life."""
    code = "import sys\nfor line in sys.stdin: hold = bytearray(int(line)); print(len(hold), flush=True)"
    running = sandbox.start([PYTHON, "-I", "-c", code], [workspace(folder)], limits=SMALL)
    try:
        running.stdin.write(b"1000\n")
        running.stdin.flush()
        assert running.stdout.readline(100) == b"1000\n"
        running.stdin.write(b"%d\n" % (1 << 32))
        running.stdin.flush()
        assert running.stdout.readline(100) == b""
        outcome = running.wait(20)
    finally:
        running.kill()
    assert outcome.stopped_by == "memory" or b"MemoryError" in outcome.stderr, outcome


# a small lab that starts one program and waits
LAB = """import sys
from pathlib import Path
from typing import Any
from aar.sandboxes import Mount, get
print(flush=True)
get(sys.argv[1]).run(sys.argv[3:], [Mount(Path(sys.argv[2]), "/workspace", True)])"""


@behaviour
def dies_with_the_lab(sandbox: Sandbox, folder: Path) -> None:
    """A lab killed by SIGKILL leaves no program behind."""
    heart = workspace(folder).source / "heart"
    argv = [sandbox.name, str(heart.parent), *HOSTILE["survivor"].argv("heart", 60)]
    environment = {**os.environ, "PYTHONPATH": str(package().parent)}
    with subprocess.Popen([sys.executable, "-c", LAB, *argv], env=environment, stdout=subprocess.PIPE) as lab:
        end = time.monotonic() + 30
        while not heart.exists() and lab.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        lab.send_signal(signal.SIGKILL)
    assert heart.exists(), "the program did not start"
    end = time.monotonic() + 5  # a container is killed by a request
    while _still_beats(heart):
        assert time.monotonic() < end, "the program outlived the lab"
    sweep(set(hierarchy().folders.values()))  # as the next lab would
