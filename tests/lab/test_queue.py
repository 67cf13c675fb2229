"""The queue: oldest first, one worker each, leases that end, verdicts that happen once."""

from __future__ import annotations

import threading

import pytest

from aar.errors import BudgetSpent, Conflict, NotFound
from aar.lab import queue, snapshots
from aar.lab.fakes import METHOD, person
from aar.lab.queue import Job, SeedRun
from aar.lab.services import Lab
from aar.lab.tables import Run, Submission

pytestmark = pytest.mark.usefixtures("database")


def submitted(lab: Lab, name: str = "ann", count: int = 1) -> list[int]:
    who = person(lab, name)
    code = snapshots.put(lab, who, METHOD).id
    return [queue.enqueue(lab, who, "toy", f"m{i}", code).id for i in range(count)]


def claimed(lab: Lab, worker: str = "w", lease_s: float = 60) -> Job:
    job = queue.claim(lab.store, worker, lease_s)
    assert job is not None
    return job


def state(lab: Lab, id_: int) -> Submission:
    with lab.store.reading() as session:
        row = session.get(Submission, id_)
        assert row is not None
        return row


def test_oldest_first_each_once(lab: Lab) -> None:
    """Every submission is claimed once, in order, then there is none."""
    ids = submitted(lab, count=3)
    assert [claimed(lab).id for _ in ids] == ids
    assert queue.claim(lab.store, "w") is None


def test_many_workers_never_share(lab: Lab) -> None:
    """Eight threads at once get different submissions."""
    ids = submitted(lab, count=4) + submitted(lab, "bob", count=4)
    got: list[int] = []
    threads = [threading.Thread(target=lambda: got.append(claimed(lab).id)) for _ in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == ids


def test_a_verdict_is_kept_with_its_runs(lab: Lab) -> None:
    """Exact and public figures and a row a seed, and it cannot be given twice."""
    (id_,) = submitted(lab)
    job = claimed(lab)
    queue.finish(lab.store, job, {"acc": 0.71234}, {"pgr": 0.5}, [SeedRun(s, 0.7, 0.5, 1.0) for s in range(5)])
    row = state(lab, id_)
    assert (row.state, row.verdict, row.public) == ("verified", {"acc": 0.71234}, {"pgr": 0.5})
    with lab.store.reading() as session:
        assert session.query(Run).filter_by(submission=id_).count() == 5
    for again in (lambda: queue.finish(lab.store, job, {}, {}), lambda: queue.fail(lab.store, job, "method", "x", "y")):
        with pytest.raises(Conflict):
            again()


def test_a_failed_finish_leaves_it_running(lab: Lab) -> None:
    """A verdict that cannot be stored whole is not stored at all."""
    (id_,) = submitted(lab)
    job = claimed(lab)
    with pytest.raises(Exception, match=r"(?i)unique"):
        queue.finish(lab.store, job, {"a": 1}, {}, [SeedRun(1), SeedRun(1)])
    assert (state(lab, id_).state, state(lab, id_).verdict) == ("running", None)
    queue.finish(lab.store, job, {"a": 1}, {})


def test_a_dead_worker_loses_its_lease(lab: Lab) -> None:
    """Another gets the submission; the first, should it come back, can do nothing with it."""
    (id_,) = submitted(lab)
    dead = claimed(lab, "first", lease_s=-1)
    alive = claimed(lab, "second")
    assert (alive.id, alive.tries) == (id_, 2)
    for act in (lambda: queue.finish(lab.store, dead, {}, {}), lambda: queue.heartbeat(lab.store, dead)):
        with pytest.raises(Conflict, match="no longer yours"):
            act()
    queue.finish(lab.store, alive, {"by": "second"}, {})
    assert state(lab, id_).verdict == {"by": "second"}


def test_a_heartbeat_keeps_the_lease(lab: Lab) -> None:
    """A lease that was renewed does not go to another."""
    submitted(lab)
    job = claimed(lab, lease_s=-1)
    queue.heartbeat(lab.store, job)
    assert queue.claim(lab.store, "other") is None


def test_three_dead_workers_are_the_labs_fault(lab: Lab) -> None:
    """Then it fails, as the lab's fault, and does not block what is behind it; the owner can queue it again."""
    first, second = submitted(lab, count=2)
    for _ in range(queue.MAX_TRIES):
        assert claimed(lab, lease_s=-1).id == first
    assert claimed(lab).id == second
    row = state(lab, first)
    assert (row.state, row.fault, row.code) == ("failed", "lab", "worker_lost")
    queue.requeue(lab.store, first, "owner")
    assert claimed(lab).id == first
    with pytest.raises(Conflict):
        queue.requeue(lab.store, first, "owner")


def test_a_failure_says_whose_fault(lab: Lab) -> None:
    """Fault, code and message are kept."""
    (id_,) = submitted(lab)
    queue.fail(lab.store, claimed(lab), "method", "timed_out", "it took too long")
    row = state(lab, id_)
    assert (row.state, row.fault, row.code, row.message) == ("failed", "method", "timed_out", "it took too long")


def test_five_waiting_are_the_most(lab: Lab) -> None:
    """A researcher cannot fill the queue; another one can still submit."""
    submitted(lab, count=queue.MAX_WAITING)
    with pytest.raises(BudgetSpent, match="waiting already"):
        submitted(lab)
    submitted(lab, "bob")
    queue.fail(lab.store, claimed(lab), "method", "x", "y")
    submitted(lab)


def test_unknown_snapshots_and_problems(lab: Lab) -> None:
    """Neither is queued."""
    ann = person(lab, "ann")
    for problem, code in (("toy", "0" * 40), ("none", snapshots.put(lab, ann, METHOD).id)):
        with pytest.raises(NotFound):
            queue.enqueue(lab, ann, problem, "m", code)


def test_a_dead_workers_submission_is_free_at_once(lab: Lab) -> None:
    """Only that worker's, and its old claim is void."""
    submitted(lab, count=2)
    lost, kept = claimed(lab, "w1"), claimed(lab, "w2")
    queue.release(lab.store, "w1")
    assert [state(lab, job.id).state for job in (lost, kept)] == ["queued", "running"]
    assert claimed(lab, "w3").id == lost.id
    with pytest.raises(Conflict):
        queue.finish(lab.store, lost, {}, {})
