"""What a sandbox is: a program in, an `Outcome` out, and nothing else gets out but files in writable mounts.

A provider is one module in this package that registers an instance of `Sandbox` under its name. `contract.py`
holds every behaviour a provider must show; what it cannot do it names in `known_failures`. `available()` picks
the best one that works on this host. Nothing here knows what is being run, or for whom.

Paths are spelled as the program inside sees them: `PYTHON`, `WORKSPACE`, and `Mount.target`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, Protocol

from aar.errors import ProviderDown
from aar.registry import Registry

PYTHON = "/opt/venv/bin/python"  # inside: the lab's interpreter with its libraries and the allowed part of aar
WORKSPACE = "/workspace"  # the usual target of the one writable mount, and then the working folder

Stop = Literal["wall", "memory", "pids", "disk", "output", "cpu", "cancelled"]


@dataclass(frozen=True)
class Limits:
    """What one program may use over its whole life. Threads count as pids. `disk_mb` bounds what lies in all
    writable mounts together, and the private /tmp on its own; `cpus` is a share of cores, None all of them.
    `gpus`: indices on the host of those it is granted; inside they are numbered from 0. `loopback`: TCP and UDP within a
    network of its own, for relays (see `network`). `usage`: a file of the host where what it used is kept (`meter`)."""

    wall_s: float = 600
    cpu_s: float | None = None
    memory_mb: int = 2048
    pids: int = 64
    disk_mb: int = 256
    output_mb: float = 8
    cpus: float | None = None
    gpus: Sequence[int] = ()
    loopback: bool = False
    usage: str = ""


@dataclass(frozen=True)
class Mount:
    """A file, folder or device of the host shown inside at `target`, read-only unless said."""

    source: Path
    target: str
    writable: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a program ended. `code` is the exit status, 128 + signal if it was killed. stdout and stderr are cut
    at `Limits.output_mb` each. `peak_memory_mb` counts page cache where cgroups measure it; 0 = not measured.
    `stopped_by` names the limit that ended it, None if it ended by itself."""

    code: int | None
    stdout: bytes
    stderr: bytes
    seconds: float
    peak_memory_mb: float
    stopped_by: Stop | None


class Running(Protocol):
    """A long-lived program. Its limits hold over its whole life. Read `stdout` with a bound: what comes out of
    it is untrusted. `stderr` is collected for the outcome."""

    pid: int
    stdin: IO[bytes]
    stdout: IO[bytes]

    def poll(self) -> Outcome | None: ...
    def wait(self, timeout_s: float | None = None) -> Outcome: ...
    def kill(self) -> Outcome: ...


class Sandbox(Protocol):
    """One way to run untrusted programs. `known_failures`: contract behaviour -> why this one lacks it."""

    @property
    def name(self) -> str: ...
    @property
    def rank(self) -> int:
        """The available one with the highest is the default."""

    @property
    def known_failures(self) -> Mapping[str, str]: ...

    def why_not(self) -> str | None:
        """Why it does not work on this host, or None. Tries it out, once."""

    def run(
        self,
        argv: Sequence[str],
        mounts: Sequence[Mount] = (),
        env: Mapping[str, str] | None = None,
        limits: Limits = Limits(),
        cwd: str | None = None,
        stdin: bytes | None = None,
    ) -> Outcome:
        """Run to the end. `cwd` None: WORKSPACE where mounted, else /tmp. Raises ProviderDown, never for what
        the program itself does."""

    def start(
        self,
        argv: Sequence[str],
        mounts: Sequence[Mount] = (),
        env: Mapping[str, str] | None = None,
        limits: Limits = Limits(),
        cwd: str | None = None,
    ) -> Running: ...


sandboxes: Registry[Sandbox] = Registry("sandbox", "aar.sandboxes")


def get(name: str) -> Sandbox:
    """The provider of that name, checked to work here."""
    sandbox = sandboxes.get(name)
    if reason := sandbox.why_not():
        raise ProviderDown(f"the {name} sandbox does not work here: {reason}", code="sandbox_down")
    return sandbox


def survey() -> Iterator[tuple[Sandbox, str | None]]:
    """Every provider, best first, with the reason why it does not work here (None: it works)."""
    for sandbox in sorted((s for _, s in sandboxes), key=lambda s: -s.rank):
        yield sandbox, sandbox.why_not()


def available() -> Sandbox:
    """The best provider that works on this host."""
    reasons = []
    for sandbox, reason in survey():
        if reason is None:
            return sandbox
        reasons.append(f"{sandbox.name}: {reason}")
    raise ProviderDown(f"no sandbox works here ({'; '.join(reasons)})", hint="install bubblewrap (0.8 or later)")
