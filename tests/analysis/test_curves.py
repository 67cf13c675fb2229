"""The team's clock, the answers on it, and where the time went."""

from __future__ import annotations

import numpy as np
import pytest

from aar.analysis import curves, diversity, timeuse
from aar.researchers import space
from aar.studies.events import StudyEvent


def event(t: float, who: str, kind: str, **data: object) -> StudyEvent:
    return StudyEvent(t, who, kind, "", data)


TWO_SESSIONS = [
    event(0, "", "study", state="open", until_s=9e9), event(0, "a", "state"), event(0, "b", "state"),
    event(3600, "a", "evaluation", pgr=0.2, improved=True), event(3600, "b", "trial", source="x"),
    event(3600, "b", "job", job_kind="research", seconds=600, waited=1000),
    event(90_000, "", "study", state="open", until_s=9e9), event(90_000, "a", "state"),  # a kill, and a day of nothing
    event(91_800, "a", "verdict", submission=1, state="answered", pgr=None), event(91_800, "a", "verdict", submission=1, state="answered", pgr=None),
    event(93_600, "a", "evaluation", pgr=0.5, improved=True), event(93_600, "a", "state", state="finished"),
    event(93_700, "a", "job", job_kind="rerun", seconds=50), event(93_700, "", "study", state="complete"),
]  # fmt: skip


def test_the_clock_adds_researchers_and_skips_pauses() -> None:
    """Two at work for an hour are two hours; the day between two sessions is nobody's."""
    hours = curves.team_hours(curves.spans(TWO_SESSIONS), np.array([1800.0, 3600.0, 50_000.0, 93_600.0]))
    assert hours == pytest.approx([1.0, 2.0, 2.0, 3.0])


def test_points_are_answers() -> None:
    """An answer without a figure stays without; a verdict told twice counts once."""
    found = curves.points(TWO_SESSIONS)
    assert [(p.hours, p.pgr, p.verified) for p in found] == [(2.0, 0.2, False), (2.5, None, True), (3.0, 0.5, False)]
    assert curves.best_so_far(found) == ([2.0, 3.0], [0.2, 0.5])


def test_pending_verdicts_are_no_answers() -> None:
    """Only what the lab has answered is drawn."""
    assert (
        curves.points([event(0, "a", "state"), event(1, "a", "verdict", submission=1, state="pending", pgr=None)]) == []
    )


def test_time_is_split_and_adds_up() -> None:
    """Trying, waiting and the rest are the researcher's time; reruns stand beside it."""
    a, b = timeuse.by_researcher(TWO_SESSIONS)
    assert (b.trying, b.waiting, b.other, b.trials) == (600, 1000, 2000, 1)
    assert a.trying + a.waiting + a.other == pytest.approx(7200)
    assert a.reruns == 50
    assert timeuse.phases(TWO_SESSIONS) == [("open", pytest.approx(3600 + 3700))]


def test_distance_is_one_at_most_and_zero_to_itself() -> None:
    """A metric's ends, over random recipes."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        one, other = space.draw(rng), space.draw(rng)
        assert diversity.distance(one, one) == 0
        assert 0 <= diversity.distance(one, other) <= 1
        assert diversity.distance(one, other) == diversity.distance(other, one)


def test_the_same_configuration_counts_once() -> None:
    """Under another name or comment it is the same."""
    rng = np.random.default_rng(0)
    one, other = space.draw(rng), space.draw(rng)
    sources = [
        space.source(one, "first"),
        space.source(one, "again"),
        space.source(other, "new"),
        "def run(task): ...",
        "def run(task): ...",
    ]
    events = [event(0, "a", "state")] + [event(i, "a", "trial", source=s) for i, s in enumerate(sources, 1)]
    found = diversity.over_time(events)
    assert found.distinct == [1, 1, 2, 3, 3]
    assert np.isnan(found.apart[0])
    assert found.apart[1] == 0
