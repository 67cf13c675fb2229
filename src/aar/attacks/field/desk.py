"""One sandbox that stays warm for many runs of different method folders: a rerun without its two seconds of imports.

A `Sandbox` for measurements only. What a run sees is what a verdict's run sees, at the same paths; but one process and
one /tmp outlive it (both are swept between runs), so a verdict that counts never runs here.
"""

from __future__ import annotations

import json
import select
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from aar.sandboxes.base import PYTHON, WORKSPACE, Limits, Mount, Outcome, Running, Sandbox, Stop
from aar.scoring.layout import STUDENT

INSIDE = """
import json, os, shutil, signal, sys, time
import torch
import aar.models.student, aar.models.training, aar.methods.compose, aar.methods.ccs, sklearn.linear_model
from aar.task import runner
torch.set_num_threads(1)
torch.set_deterministic_debug_mode("error")

def sweep():
    try: os.kill(-1, signal.SIGKILL)  # whatever a run left; not this process
    except ProcessLookupError: pass
    for name in os.listdir("/tmp"):
        path = os.path.join("/tmp", name)
        shutil.rmtree(path, ignore_errors=True) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)

def serve(deadline):
    pid = os.fork()
    if not pid:
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(2, 1)
        os._exit(runner.main("/task", "/method", "/workspace/out"))
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done: return os.waitstatus_to_exitcode(status)
        time.sleep(.005)
    os.kill(pid, signal.SIGKILL); os.waitpid(pid, 0)
    return 124

print("ready", flush=True)
for line in sys.stdin:
    code = serve(time.monotonic() + json.loads(line))
    sweep()
    print(code, flush=True)
"""
START_S = 120.0
FAILED: Stop = "memory"


class Desk:
    """`Desk(sandbox, folder).run(...)` as `sandbox.run`, for reruns of small problems. `folder` holds what is shown."""

    name, rank = "desk", 0
    known_failures: Mapping[str, str] = MappingProxyType({"clean start": "one process serves many runs"})

    def __init__(self, sandbox: Sandbox, folder: Path, student: Path, limits: Limits) -> None:
        self.sandbox, self.folder, self.limits = sandbox, folder, limits
        targets = {"task": "/task", "method": "/method", "public": "/features/public", "sealed": "/features/sealed"}
        self.places = {target: folder / part for part, target in targets.items()} | {WORKSPACE: folder / "workspace"}
        for place in self.places.values():
            place.mkdir(parents=True, exist_ok=True)
        self.mounts = [Mount(place, target, writable=target == WORKSPACE) for target, place in self.places.items()] + [
            Mount(student, STUDENT)
        ]
        self._running: Running | None = None

    def why_not(self) -> str | None:
        return self.sandbox.why_not()

    def run(
        self,
        argv: Sequence[str],
        mounts: Sequence[Mount] = (),
        env: Mapping[str, str] | None = None,
        limits: Limits = Limits(),
        cwd: str | None = None,
        stdin: bytes | None = None,
    ) -> Outcome:
        """Shows these mounts, runs the method on the task among them, and puts the workspace back where it came from."""
        start = time.monotonic()
        running = self._warm()
        for mount in mounts:
            if place := self.places.get(mount.target):
                _show(mount.source, place)
        running.stdin.write(json.dumps(limits.wall_s).encode() + b"\n")
        running.stdin.flush()
        said = _line(running, limits.wall_s + 20)
        stop: Stop | None = "wall" if said == b"124" else None
        if said is None:
            stop = running.kill().stopped_by or FAILED
            self._running = None
        back = next(m.source for m in mounts if m.target == WORKSPACE)
        for path in self.places[WORKSPACE].iterdir():
            path.rename(back / path.name)
        return Outcome(int(said) if said else None, b"", b"", time.monotonic() - start, 0.0, stop)

    def start(
        self,
        argv: Sequence[str],
        mounts: Sequence[Mount] = (),
        env: Mapping[str, str] | None = None,
        limits: Limits = Limits(),
        cwd: str | None = None,
    ) -> Running:
        raise NotImplementedError("a desk serves runs, not processes")

    def close(self) -> None:
        if self._running:
            self._running.kill()
        self._running = None

    def _warm(self) -> Running:
        if self._running is None:
            self._running = self.sandbox.start([PYTHON, "-I", "-c", INSIDE], self.mounts, limits=self.limits)
            if _line(self._running, START_S) != b"ready":
                raise RuntimeError(
                    f"the desk did not start: {self._running.kill().stderr.decode(errors='replace')[-2000:]}"
                )
        return self._running


def _line(running: Running, timeout_s: float) -> bytes | None:
    """The next line it says, None where it ended or took too long."""
    said, end = b"", time.monotonic() + timeout_s
    waiter = select.poll()
    waiter.register(running.stdout.fileno(), select.POLLIN)
    while not said.endswith(b"\n"):
        if not waiter.poll(max(0.0, end - time.monotonic()) * 1000) or not (block := running.stdout.read1(4096)):  # type: ignore[attr-defined]
            return None
        said += block
    return said.strip()


def _show(source: Path, place: Path) -> None:
    """The contents of `source` in `place`, whose own folder must stay: it is mounted."""
    for old in place.iterdir():
        shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    shutil.copytree(source, place, dirs_exist_ok=True)
