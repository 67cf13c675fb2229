"""The choice of the next job: fair, never over capacity, reruns get their share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aar.executors.base import Needs
from aar.executors.policy import Capacity, Waiting, choose

jobs = st.builds(
    Waiting,
    id=st.just(0),
    owner=st.sampled_from("abc"),
    needs=st.builds(Needs, st.integers(1, 3), st.integers(1, 900)),
    priority=st.sampled_from(["research", "rerun"]),
    place=st.just(0),
)


def numbered(found: list[Waiting], start: int = 0) -> list[Waiting]:
    return [Waiting(i, w.owner, w.needs, w.priority, i) for i, w in enumerate(found, start)]


@given(st.lists(jobs, max_size=12), st.integers(1, 4), st.integers(0, 2))
def test_capacity_is_never_passed_and_everything_runs_in_the_end(
    found: list[Waiting], cpus: int, elsewhere: int
) -> None:
    """Jobs that can start do start; the machine is never overbooked, whatever the order."""
    capacity = Capacity(Needs(max(cpus, 3), 1000))
    waiting, running, served = numbered(found), [], {}
    for _ in range(100):
        chosen = choose(waiting, running, served, capacity, elsewhere)
        if chosen is None:
            if not running and elsewhere:
                elsewhere = 0
                continue
            if not running:
                break
            done = running.pop(0)
            served[done.owner] = served.get(done.owner, 0) + done.needs.cpus
            continue
        job = next(w for w in waiting if w.id == chosen)
        waiting.remove(job)
        running.append(job)
        assert sum(r.needs.cpus for r in running) <= capacity.total.cpus
        assert sum(r.needs.memory_mb for r in running) <= capacity.total.memory_mb
    assert waiting == []


def test_the_least_served_owner_goes_first() -> None:
    """Somebody with a hundred queued jobs does not keep a newcomer waiting."""
    one = Needs(1, 10)
    crowd = [Waiting(i, "greedy", one, "research", i) for i in range(100)]
    assert (
        choose([*crowd, Waiting(100, "late", one, "research", 100)], [], {"greedy": 5.0}, Capacity(Needs(1, 100)))
        == 100
    )


def test_a_rerun_overtakes_every_trial() -> None:
    """The share of the reruns is theirs as soon as one waits."""
    one = Needs(1, 10)
    queue = [Waiting(0, "a", one, "research", 0), Waiting(1, "lab", one, "rerun", 1)]
    assert choose(queue, [], {}, Capacity(Needs(2, 100))) == 1


def test_reruns_in_other_processes_keep_their_slot_free() -> None:
    """With one of two slots in use and a worker busy elsewhere, no trial starts."""
    one = Needs(1, 10)
    running = [Waiting(0, "a", one, "research", 0)]
    queue = [Waiting(1, "b", one, "research", 1)]
    assert choose(queue, running, {}, Capacity(Needs(2, 100)), reruns_elsewhere=1) is None
    assert choose(queue, running, {}, Capacity(Needs(2, 100))) == 1
