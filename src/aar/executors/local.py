"""Jobs on this machine: a thread each, as many at a time as their needs leave room for.

What a job does is usually to wait for a sandboxed process, so threads cost nothing. `reruns_elsewhere` asks how many
slots the lab's rerun workers, which are other processes, want now.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil

from aar.errors import InputError
from aar.executors.base import Cancelled, Handle, Job, Lease, Needs, State, T
from aar.executors.policy import Capacity, Waiting, choose

RECHECK_S = 0.25


def this_machine() -> Needs:
    """All cores, and the memory that is free now."""
    return Needs(os.cpu_count() or 1, int(psutil.virtual_memory().available / 2**20), 0)


class LocalExecutor:
    """Close it, or use it in a `with`: what runs is asked to stop, what waits is cancelled."""

    def __init__(
        self, total: Needs | None = None, kept_for_reruns: int = 1, reruns_elsewhere: Callable[[], int] = lambda: 0
    ) -> None:
        self.capacity = Capacity(total or this_machine(), kept_for_reruns)
        self.reruns_elsewhere = reruns_elsewhere
        self._handles: list[Handle[Any]] = []
        self._served: dict[str, float] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._dispatcher = threading.Thread(target=self._dispatch, name="executor", daemon=True)
        self._dispatcher.start()

    def submit(self, job: Job[T]) -> Handle[T]:
        """Queue it. InputError for a job that could never start here."""
        if not self.capacity.check(job.needs):
            raise InputError(
                f"job {job.name!r} needs {job.needs}, this machine has {self.capacity.total}", code="too_big"
            )
        with self._changed:
            if self._closed:
                raise Cancelled("the executor is closed")
            handle = Handle(len(self._handles), job)
            self._handles.append(handle)
            self._changed.notify_all()
            return handle

    def handles(self) -> list[Handle[Any]]:
        with self._changed:
            return list(self._handles)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            for handle in self._handles:
                handle.cancel()
            self._changed.notify_all()
        self._dispatcher.join()
        for handle in self._handles:
            if handle.state == "queued":
                self._end(handle, "cancelled", Cancelled(f"job {handle.job.name!r} was cancelled"))

    def __enter__(self) -> LocalExecutor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _dispatch(self) -> None:
        wanted = 0
        while True:
            with self._changed:
                if self._closed:
                    return
                self._drop_cancelled()
                handle = self._next(wanted)
                if handle is None:
                    self._changed.wait(RECHECK_S)
                else:
                    handle.state, handle.started_at = "running", time.monotonic()
                    threading.Thread(target=self._run, args=(handle,), name=handle.job.name, daemon=True).start()
            wanted = self.reruns_elsewhere()  # outside the lock: it may ask a server

    def _drop_cancelled(self) -> None:
        for handle in self._handles:
            if handle.state == "queued" and handle.cancel_asked.is_set():
                self._end(handle, "cancelled", Cancelled(f"job {handle.job.name!r} was cancelled"))

    def _next(self, reruns_elsewhere: int) -> Handle[Any] | None:
        def seen(state: str) -> list[Waiting]:
            return [
                Waiting(h.id, h.job.owner, h.job.needs, h.job.priority, h.id) for h in self._handles if h.state == state
            ]

        running = seen("running")
        served = dict(self._served)
        for job in running:
            served[job.owner] = served.get(job.owner, 0) + self._handles[job.id].seconds * job.needs.cpus
        chosen = choose(seen("queued"), running, served, self.capacity, reruns_elsewhere)
        return None if chosen is None else self._handles[chosen]

    def _run(self, handle: Handle[Any]) -> None:
        try:
            value = handle.job.run(Lease(handle))
        except BaseException as error:
            state: State = "cancelled" if isinstance(error, Cancelled) else "failed"
            self._end(handle, state, error)
        else:
            self._end(handle, "done", None, value)

    def _end(self, handle: Handle[Any], state: State, error: BaseException | None, value: object = None) -> None:
        with self._changed:
            handle.state, handle.ended_at = state, time.monotonic()
            owner = handle.job.owner
            self._served[owner] = self._served.get(owner, 0.0) + handle.seconds * handle.job.needs.cpus
            self._changed.notify_all()
        if error is not None:
            handle.future.set_exception(error)
        else:
            handle.future.set_result(value)
