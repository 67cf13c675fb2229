"""Jobs that come by the dozen, done one after another by one thread, those that wait together under one commit.

Fifty threads that take turns at the same lock spend most of their time waking each other up. Here the answers wait, not
threads: a job's answer is handed out once the commit that it shares with its neighbours is on disk. Where that commit
fails, all of them are told so.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from typing import Any

from aar.lab import commits
from aar.lab.store import Store


@dataclass
class Job:
    do: Callable[[], Any]
    told: Future[Any] = field(default_factory=Future)
    answer: Any = None
    error: BaseException | None = None

    def attempt(self) -> None:
        """Unless nobody waits for it any more."""
        if self.told.set_running_or_notify_cancel():
            try:
                self.answer = self.do()
            except BaseException as error:
                self.error = error

    def tell(self, failed: BaseException | None) -> None:
        with contextlib.suppress(InvalidStateError):  # nobody waits
            if error := failed or self.error:
                self.told.set_exception(error)
            else:
                self.told.set_result(self.answer)


class Batches:
    """`await batches.run(job)` from any event loop. The thread starts with the first job."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    async def run(self, do: Callable[[], Any]) -> Any:
        """Its answer, or what it raised; what it wrote is on disk by then."""
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="aar-batches", daemon=True)
                self._thread.start()
        job = Job(do)
        self._jobs.put(job)
        return await asyncio.wrap_future(job.told)

    def close(self) -> None:
        """What has come is still done."""
        with self._starting:
            if self._thread is not None:
                self._jobs.put(None)
                self._thread.join()
                self._thread = None

    def _work(self) -> None:
        while (first := self._jobs.get()) is not None:
            done, failed = list[Job](), None
            try:
                with self.store.together():
                    for job in self._waiting(first):
                        done.append(job)
                        job.attempt()
            except BaseException as error:
                failed = error
                done = done or [first]
            for job in done:
                job.tell(failed)

    def _waiting(self, first: Job) -> Iterator[Job]:
        """It and those that are there when it is done, for as long as a group of commits may grow."""
        ends, job = time.monotonic() + commits.GROUP_S, first
        while True:
            yield job
            if time.monotonic() > ends:
                return
            try:
                following = self._jobs.get_nowait()
            except queue.Empty:
                return
            if following is None:
                return self._jobs.put(None)
            job = following
