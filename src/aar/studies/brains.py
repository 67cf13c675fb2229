"""The researchers of a study at work: a thread and a pair of hands each, started again when something under them failed.

A fault of the lab's or a provider's passes when the server is back, so its researcher is begun anew: its journal replays
what was answered. One that lasts, or that no second try can cure, stops the whole study and is kept as `fault`.
"""

from __future__ import annotations

import contextlib
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from aar.errors import AarError, BudgetSpent, ProviderDown
from aar.executors.base import Executor, Handle, Job
from aar.lab import room
from aar.researchers.base import Retuned, Stopped, researchers
from aar.researchers.bench import Bench
from aar.researchers.hands import Hands
from aar.studies.events import EventLog
from aar.studies.spec import Member, StudyFolder, StudySpec
from aar.task.client import LabClient

PATIENCE = 5  # starts without one new step before a fault counts as lasting
PAUSE_S = 2.0
FATAL = (
    "disk_full",
    "database_readonly",
    "journal_full",
    "journal_mismatch",
    "bad_journal",
    "journal_held",
    "no_sandbox",
    "no_extra",
    "no_k8s",
    "no_model",
    "unknown_price",
    "model_refused",
)


class OpenHands(Protocol):
    def __call__(self, member: Member) -> Hands: ...


@dataclass
class Brains:
    """`with Brains(...) as brains:` starts them; leaving stops what still works and ends every sandbox."""

    folder: StudyFolder
    spec: StudySpec
    clients: dict[str, LabClient]
    open_hands: OpenHands
    executor: Executor
    log: EventLog
    stop: threading.Event
    fault: AarError | None = None
    failed: list[str] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _hands: dict[str, Hands] = field(default_factory=dict)
    _benches: dict[str, Bench] = field(default_factory=dict)

    def __enter__(self) -> Brains:
        for member in self.spec.researchers:
            self._hands[member.name] = self.open_hands(member)
            thread = threading.Thread(target=self._live, args=(member,), name=member.name, daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.working:
            self.stop.set()
        for hands in self._hands.values():
            hands.close()
        for thread in self._threads:
            thread.join()

    @property
    def working(self) -> int:
        return sum(thread.is_alive() for thread in self._threads)

    def _live(self, member: Member) -> None:
        """Until it has nothing more to do, the study stops, or a fault lasts."""
        tries, reached = 0, -1
        try:
            while not self.stop.is_set():
                self.log.tell(member.name, "state", "works", arm=member.arm, direction=member.direction)
                bench = self._bench(member.name)
                try:
                    researchers.get(member.arm)(bench.assignment).work(bench)
                    return self._over(member, "finished")
                except (Stopped, BudgetSpent) as end:
                    return self._over(member, "stopped" if self.stop.is_set() else "finished", end)
                except Retuned as change:
                    self.log.tell(member.name, "state", f"begins anew: {change.message}", state="works")
                except AarError as error:
                    step = bench.journal.step
                    tries, reached = (tries + 1, reached) if step <= reached else (1, step)
                    if self._lasts(error, tries):
                        raise
                    self.log.tell(member.name, "state", f"waits: {error.message}", state="waits", code=error.code)
                    self.stop.wait(PAUSE_S)
                finally:
                    bench.close()
        except AarError as error:
            self._give_up(member, error)
        except Exception as error:  # the thread's boundary: a defect in an arm ends that arm alone
            if room.behind(error):
                return self._give_up(member, room.full(self.folder.root))
            self.failed.append(member.name)
            self.log.tell(
                member.name,
                "state",
                f"failed: {type(error).__name__}: {error}",
                state="failed",
                trace=traceback.format_exc()[-4000:],
            )
        finally:
            self._hands[member.name].close()

    def retune(self, spec: StudySpec) -> None:
        """Everybody goes on under the changed study."""
        self.spec = spec
        for member in spec.researchers:
            if bench := self._benches.get(member.name):
                bench.retune(spec.assignment(member))

    def _bench(self, name: str) -> Bench:
        member = next(m for m in self.spec.researchers if m.name == name)  # as of now: its direction may have changed
        self._benches[name] = bench = Bench(
            self.spec.assignment(member),
            self.folder.home(member.name),
            self.clients[member.name],
            self._hands[member.name],
            self.executor,
            self.folder.findings,
            self.spec.problem,
            self.stop,
            self.log.of_researcher(member.name),
        )
        return bench

    def _lasts(self, error: AarError, tries: int) -> bool:
        return error.code in FATAL or tries >= PATIENCE

    def _over(self, member: Member, state: str, end: AarError | None = None) -> None:
        why, code = (end.message, end.code) if end else ("has nothing more to do", "")
        self.log.tell(member.name, "state", f"{state}: {why}", state=state, code=code)

    def _give_up(self, member: Member, error: AarError) -> None:
        self.fault = self.fault or error
        self.stop.set()
        with contextlib.suppress(ProviderDown):  # a full disk: the fault is told to whoever started the study
            self.log.tell(member.name, "state", f"failed: {error.message}", state="failed", code=error.code)


class Told:
    """An executor that tells of each job when it ends: that is where a study's time went."""

    def __init__(self, inner: Executor, log: EventLog, on_fault: Callable[[AarError], None]) -> None:
        self.inner, self.log, self.on_fault = inner, log, on_fault

    def submit(self, job: Job[Any]) -> Handle[Any]:
        handle = self.inner.submit(job)
        handle.future.add_done_callback(lambda _: self._tell(handle))
        return handle

    def handles(self) -> list[Handle[Any]]:
        return self.inner.handles()

    def close(self) -> None:
        self.inner.close()

    def _tell(self, handle: Handle[Any]) -> None:
        waited = (handle.started_at or time.monotonic()) - handle.queued_at
        try:
            self.log.tell(
                handle.job.owner,
                "job",
                handle.job.name,
                owner=handle.job.owner,
                name=handle.job.name,
                job_kind=handle.job.priority,
                state=handle.state,
                seconds=round(handle.seconds, 3),
                waited=round(waited, 3),
            )
        except ProviderDown as error:
            self.on_fault(error)
