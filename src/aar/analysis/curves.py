"""PGR against cumulative researcher-hours: the team's clock, what the lab answered when, and the best so far.

The team's clock adds up everybody's working time: with 9 researchers at work it runs 9 times as fast as the wall's.
Time between sessions (a study that was stopped and resumed) is nobody's. Pure; all figures are what the gate let out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from aar.studies.events import StudyEvent

ANSWERS = ("evaluation", "verdict")


@dataclass(frozen=True)
class Span:
    """One researcher at work from `start` to `end` (Unix seconds)."""

    researcher: str
    start: float
    end: float


@dataclass(frozen=True)
class Point:
    """One answer. `hours`: the team's clock; `pgr` None where the lab said "not improved" and nothing else."""

    researcher: str
    hours: float
    pgr: float | None
    verified: bool


def spans(events: Sequence[StudyEvent]) -> list[Span]:
    """From each word that a researcher works to its end, or to its last act where a kill left no end."""
    found: list[Span] = []
    at_work: dict[str, int] = {}  # researcher -> its open span
    for event in events:
        name = event.researcher
        if not name or event.kind == "job":
            continue
        if event.kind == "state" and event.data.get("state", "works") == "works":
            at_work[name] = len(found)
            found.append(Span(name, event.t, event.t))
        elif name in at_work:
            found[at_work[name]] = replace(found[at_work[name]], end=event.t)
            if event.kind == "state":
                del at_work[name]
    return found


def team_hours(work: Sequence[Span], t: np.ndarray) -> np.ndarray:
    """[k] hours that all researchers together had worked at Unix times t [k]."""
    done = np.zeros(len(t))
    for span in work:
        done += np.clip(t - span.start, 0, span.end - span.start)
    return done / 3600


def points(events: Sequence[StudyEvent]) -> list[Point]:
    """Every answer, in order of time. A verdict asked for twice counts when it was first told."""
    work, told, seen = spans(events), [], set()
    for event in events:
        if event.kind not in ANSWERS or event.data.get("state", "answered") != "answered":
            continue
        key = (event.researcher, event.data.get("submission", event.t))
        if key not in seen:
            seen.add(key)
            told.append(event)
    hours = team_hours(work, np.array([e.t for e in told]))
    return [
        Point(e.researcher, float(h), _number(e.data.get("pgr")), e.kind == "verdict")
        for e, h in zip(told, hours, strict=True)
    ]


def best_so_far(answers: Sequence[Point]) -> tuple[list[float], list[float]]:
    """(hours, PGR) where the best answer rose."""
    hours: list[float] = []
    best: list[float] = []
    for p in answers:
        if p.pgr is not None and (not best or p.pgr > best[-1]):
            hours.append(p.hours)
            best.append(p.pgr)
    return hours, best


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and np.isfinite(value) else None
