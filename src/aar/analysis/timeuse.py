"""Where the time went: per researcher between trying methods, waiting for a slot and the rest; and the study's phases.

Seconds of wall clock as the lab saw them, never as a method reports them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aar.analysis.curves import spans
from aar.studies.events import StudyEvent

AT_REST = ("stopped", "complete", "finalized")


@dataclass(frozen=True)
class Use:
    """Seconds of one researcher. `other`: asking the lab, waiting for its answers, deciding what next. `reruns`: of its
    submissions, by the lab's workers, beside its own time."""

    researcher: str
    trying: float
    waiting: float
    other: float
    reruns: float
    trials: int


def by_researcher(events: Sequence[StudyEvent]) -> list[Use]:
    """In order of name."""
    worked: dict[str, float] = {}
    for span in spans(events):
        worked[span.researcher] = worked.get(span.researcher, 0.0) + span.end - span.start
    return [_use(name, seconds, events) for name, seconds in sorted(worked.items())]


def phases(events: Sequence[StudyEvent]) -> list[tuple[str, float]]:
    """(state of the study, seconds) in order; one that came again is added up. Time at rest between sessions is none."""
    found: dict[str, float] = {}
    state, since, last = "", 0.0, 0.0
    for event in events:
        if event.kind == "study" and not event.researcher:
            if state:  # a new session after a kill: what came before it ended with its last sign of life
                end = last if is_new_session(event) else event.t
                found[state] = found.get(state, 0.0) + end - since
            state, since = str(event.data.get("state") or event.text), event.t
        last = event.t
    if state:
        found[state] = found.get(state, 0.0) + last - since
    return [(name, seconds) for name, seconds in found.items() if name not in AT_REST]


def is_new_session(event: StudyEvent) -> bool:
    """Whether a word of the study is the first of a process that runs it."""
    return event.data.get("state") == "open" and "until_s" in event.data


def _use(name: str, worked: float, events: Sequence[StudyEvent]) -> Use:
    own = [e for e in events if e.researcher == name]
    jobs = [e for e in own if e.kind == "job"]
    research = [e for e in jobs if e.data.get("job_kind") == "research"]
    trying, waiting = _sum(research, "seconds"), _sum(research, "waited")
    reruns = _sum([e for e in jobs if e.data.get("job_kind") == "rerun"], "seconds")
    trials = sum(e.kind == "trial" for e in own)
    return Use(name, trying, waiting, max(0.0, worked - trying - waiting), reruns, trials)


def _sum(events: Sequence[StudyEvent], key: str) -> float:
    return sum(float(v) for e in events if isinstance(v := e.data.get(key), int | float) and v >= 0)
