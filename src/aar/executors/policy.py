"""Which waiting job starts next. Pure: no threads, no clock.

Fair: among the jobs that fit, the owner who has held the fewest slot-seconds goes first, then the longest wait. Reruns
first wherever the share kept for them is not in use: a verdict never waits behind a crowd of trials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aar.executors.base import Needs, Priority


@dataclass(frozen=True)
class Waiting:
    """A queued job as the policy sees it; `place` is its position in the order of arrival."""

    id: int
    owner: str
    needs: Needs
    priority: Priority
    place: int


@dataclass(frozen=True)
class Capacity:
    """The whole machine, and the slots kept for reruns whenever one waits or runs."""

    total: Needs
    kept_for_reruns: int = 1

    def check(self, needs: Needs) -> bool:
        """Whether a job of these needs can ever start."""
        return needs.fits(self.total)


def choose(
    waiting: Sequence[Waiting],
    running: Sequence[Waiting],
    served: Mapping[str, float],
    capacity: Capacity,
    reruns_elsewhere: int = 0,
) -> int | None:
    """The id of the job to start now, or None. served: owner -> slot-seconds held so far, running jobs included.

    reruns_elsewhere: slots that rerun workers of other processes use or are about to.
    """
    free = capacity.total
    for job in running:
        free = free.minus(job.needs)
    free = free.minus(Needs(min(reruns_elsewhere, capacity.kept_for_reruns), 0, 0))
    reruns = [job for job in waiting if job.priority == "rerun"]
    if fitting := [job for job in reruns if job.needs.fits(free)]:
        return min(fitting, key=lambda job: job.place).id
    busy = sum(job.needs.cpus for job in running if job.priority == "rerun")
    kept = max(0, capacity.kept_for_reruns - busy) if reruns else 0
    free = free.minus(Needs(min(kept, max(free.cpus, 0)), 0, 0))
    held: dict[str, int] = {}
    for job in running:
        held[job.owner] = held.get(job.owner, 0) + job.needs.cpus
    candidates = [job for job in waiting if job.priority == "research" and job.needs.fits(free)]
    if not candidates:
        return None
    return min(candidates, key=lambda job: (held.get(job.owner, 0), served.get(job.owner, 0.0), job.place)).id
