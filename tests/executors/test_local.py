"""The local executor: results, errors, cancelling, and never more at a time than there is room for."""

from __future__ import annotations

import threading
import time

import pytest

from aar.errors import InputError
from aar.executors.base import Cancelled, Job, Lease, Needs
from aar.executors.local import LocalExecutor

SLOT = Needs(1, 1)


def test_results_and_errors_come_back() -> None:
    """What a job returns or raises is what `result` gives."""
    with LocalExecutor(Needs(2, 10)) as executor:
        assert executor.submit(Job("a", "ok", lambda lease: 7, SLOT)).result(5) == 7
        with pytest.raises(ZeroDivisionError):
            executor.submit(Job("a", "bad", lambda lease: 1 / 0, SLOT)).result(5)


def test_no_more_at_a_time_than_there_are_slots() -> None:
    """Twelve jobs on two slots: two at a time, all in the end."""
    now, most, lock = [0], [0], threading.Lock()

    def work(lease: Lease) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.02)
        with lock:
            now[0] -= 1

    with LocalExecutor(Needs(2, 100)) as executor:
        for handle in [executor.submit(Job("ab"[i % 2], str(i), work, SLOT)) for i in range(12)]:
            handle.result(10)
    assert most[0] == 2


def test_a_queued_job_that_is_cancelled_never_starts() -> None:
    """And a running one sees that it was asked to stop."""
    started = threading.Event()

    def wait(lease: Lease) -> str:
        started.set()
        while not lease.cancelled:
            time.sleep(0.01)
        return "stopped"

    with LocalExecutor(Needs(1, 10)) as executor:
        first = executor.submit(Job("a", "first", wait, SLOT))
        second = executor.submit(Job("a", "second", lambda lease: "ran", SLOT))
        started.wait(5)
        second.cancel()
        with pytest.raises(Cancelled):
            second.result(5)
        first.cancel()
        assert first.result(5) == "stopped"


def test_a_job_that_can_never_start_is_refused() -> None:
    """Rather than waiting for ever."""
    with LocalExecutor(Needs(1, 10)) as executor, pytest.raises(InputError):
        executor.submit(Job("a", "big", lambda lease: None, Needs(2, 1)))
