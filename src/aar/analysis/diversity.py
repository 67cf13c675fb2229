"""How different the team's configurations were over time: distinct ones so far, and how far apart the latest are.

A configuration is its `method.py` as a program; recipes among them are as far apart as the share of genes in which they
differ, whole methods of the library have no such distance. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from aar.analysis.curves import spans, team_hours
from aar.errors import MethodError
from aar.researchers import space
from aar.studies.events import StudyEvent
from aar.studies.programs import program

WINDOW = 12  # trials


@dataclass(frozen=True)
class Diversity:
    """At the team's hours [k]: distinct configurations so far, and the mean distance in [0, 1] among the last `WINDOW`
    recipes, NaN until there are two."""

    hours: list[float]
    distinct: list[int]
    apart: list[float]


def over_time(events: Sequence[StudyEvent]) -> Diversity:
    trials = [e for e in events if e.kind == "trial"]
    hours = team_hours(spans(events), np.array([e.t for e in trials]))
    seen: set[str] = set()
    recent: list[space.Recipe] = []
    distinct, apart = [], []
    for event in trials:
        source = str(event.data.get("source", ""))
        recipe = _recipe(source)
        seen.add(program(source))
        recent = [*recent, recipe][-WINDOW:] if recipe else recent
        distinct.append(len(seen))
        pairs = [distance(a, b) for a, b in combinations(recent, 2)]
        apart.append(float(np.mean(pairs)) if pairs else float("nan"))
    return Diversity(hours.tolist(), distinct, apart)


def distance(one: space.Recipe, other: space.Recipe) -> float:
    """Share of genes that differ: steps by name, numbers by their place in the range."""
    parts = [float(one[step] != other[step]) for step in space.STEPS]
    for name, kind in space.NUMBERS.items():
        parts.append(min(1.0, abs(one[name] - other[name]) / (kind.high - kind.low)))
    return float(np.mean(parts))


def _recipe(source: str) -> space.Recipe | None:
    try:
        return space.read(source)
    except MethodError:
        return None
