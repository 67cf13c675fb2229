"""Jobs and who runs them. A job asks for slots, gets a lease on them, runs, and gives them back.

An executor is one module here: `local` uses this machine; others may hand the same jobs to a cluster. Nothing here knows
what a job does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

from aar.errors import AarError

State = Literal["queued", "running", "done", "failed", "cancelled"]
Priority = Literal["research", "rerun"]
T = TypeVar("T")


class Cancelled(AarError):
    """The job was cancelled before it ended."""

    fault, status, default_code = "you", 409, "cancelled"


@dataclass(frozen=True)
class Needs:
    """What one job holds while it runs. cpus: slots; memory in MB; gpus: whole ones."""

    cpus: int = 1
    memory_mb: int = 512
    gpus: int = 0

    def fits(self, free: Needs) -> bool:
        return self.cpus <= free.cpus and self.memory_mb <= free.memory_mb and self.gpus <= free.gpus

    def minus(self, other: Needs) -> Needs:
        return Needs(self.cpus - other.cpus, self.memory_mb - other.memory_mb, self.gpus - other.gpus)

    def plus(self, other: Needs) -> Needs:
        return Needs(self.cpus + other.cpus, self.memory_mb + other.memory_mb, self.gpus + other.gpus)


class Lease:
    """What a running job is handed: say how far it is, and ask whether to stop."""

    def __init__(self, handle: Handle[Any]) -> None:
        self._handle = handle

    @property
    def cancelled(self) -> bool:
        return self._handle.cancel_asked.is_set()

    def progress(self, done: float, text: str = "") -> None:
        """`done` in [0, 1]."""
        self._handle.progress, self._handle.doing = done, text

    def log(self, line: str) -> None:
        self._handle.lines.append(line)


@dataclass(frozen=True)
class Job(Generic[T]):
    """`run(lease)` is called once, in a thread. `owner` is whom fairness counts it for."""

    owner: str
    name: str
    run: Callable[[Lease], T]
    needs: Needs = Needs()
    priority: Priority = "research"


@dataclass
class Handle(Generic[T]):
    """One submitted job. Times are of `time.monotonic`."""

    id: int
    job: Job[T]
    state: State = "queued"
    progress: float = 0.0
    doing: str = ""
    lines: list[str] = field(default_factory=list)
    queued_at: float = field(default_factory=time.monotonic)
    started_at: float | None = None
    ended_at: float | None = None
    future: Future[T] = field(default_factory=Future, repr=False)
    cancel_asked: threading.Event = field(default_factory=threading.Event, repr=False)

    def result(self, timeout_s: float | None = None) -> T:
        """What `run` returned; raises what it raised, or Cancelled."""
        return self.future.result(timeout_s)

    def cancel(self) -> None:
        """A queued job never starts; a running one is asked to stop."""
        self.cancel_asked.set()

    @property
    def seconds(self) -> float:
        """How long it has held its slots."""
        return 0.0 if self.started_at is None else (self.ended_at or time.monotonic()) - self.started_at


class Executor(Protocol):
    def submit(self, job: Job[T]) -> Handle[T]: ...
    def handles(self) -> list[Handle[Any]]: ...
    def close(self) -> None: ...
