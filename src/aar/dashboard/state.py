"""What a live view knows: a study's plan, its events folded into one state, and the lab's public answers.

Pure but for `ask`, which reads the API. Texts are raw in here; `render` makes them visible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aar.analysis.timeuse import is_new_session
from aar.errors import AarError
from aar.lab.client import LabClient
from aar.studies.events import StudyEvent
from aar.studies.spec import StudySpec

FINDINGS = 30
COUNTED = {"trial": "trials", "evaluation": "evaluations", "submission": "submissions"}


@dataclass
class Person:
    """A researcher as last heard of. `best`: the highest PGR that the lab told it."""

    name: str
    arm: str
    direction: str
    state: str = "not started"
    doing: str = ""
    trials: int = 0
    evaluations: int = 0
    submissions: int = 0
    best: float | None = None


@dataclass(frozen=True)
class Public:
    """The lab's answers. `rows`: the board; `human`: (name, PGR) of the best baseline on it; `fault`: why there is none."""

    rows: tuple[Mapping[str, Any], ...] = ()
    human: tuple[str, float] | None = None
    findings: tuple[Mapping[str, Any], ...] = ()
    fault: str = ""


@dataclass
class View:
    """`now` and the events' times are Unix seconds."""

    spec: StudySpec
    people: dict[str, Person] = field(default_factory=dict)
    public: Public = field(default_factory=Public)
    phase: str = "not started"
    state: str = "new"
    began: float | None = None  # this session
    before: float = 0.0  # seconds of earlier sessions
    last: float = 0.0
    _last_before: float = 0.0

    def __post_init__(self) -> None:
        self.people = {m.name: Person(m.name, m.arm, m.direction) for m in self.spec.researchers}

    def label(self, researcher: str) -> str:
        return researcher.removeprefix(f"{self.spec.name}.")

    def done(self, what: str) -> int:
        return sum(getattr(p, what) for p in self.people.values())

    def planned(self, what: str) -> int:
        return int(getattr(self.spec, what)) * len(self.people)

    @property
    def best(self) -> Person | None:
        told = [p for p in self.people.values() if p.best is not None]
        return max(told, key=lambda p: p.best or 0.0, default=None)

    def hear(self, event: StudyEvent) -> None:
        """Take in one event."""
        self._last_before, self.last = self.last, max(self.last, event.t)
        if not event.researcher:
            if event.kind == "study":
                self._study(event)
        elif person := self.people.get(event.researcher):
            self._person(person, event)

    def _study(self, event: StudyEvent) -> None:
        if self.began is None or is_new_session(event):
            self.before += self._last_before - self.began if self.began is not None else 0.0
            self.began = event.t
        self.state, self.phase = str(event.data.get("state", "")), event.text

    def _person(self, person: Person, event: StudyEvent) -> None:
        if event.kind in COUNTED:
            setattr(person, COUNTED[event.kind], getattr(person, COUNTED[event.kind]) + 1)
        if event.kind == "state":
            person.state = str(event.data.get("state", "works"))
            person.doing = event.text.removeprefix(f"{person.state}: ") if person.state != "works" else ""
        elif event.kind != "job":
            failed = f" failed: {event.data['error']}" if event.kind == "trial" and event.data.get("error") else ""
            person.doing = f"{event.kind} {event.text}{failed}"
        pgr = event.data.get("pgr")
        if event.kind in ("evaluation", "verdict") and isinstance(pgr, int | float):
            person.best = max(person.best if person.best is not None else pgr, pgr)

    @property
    def over(self) -> bool:
        return self.state in ("stopped", "complete", "finalized")

    def seconds_gone(self, now: float) -> float:
        """Of all sessions; pauses between them do not count."""
        if self.began is None:
            return 0.0
        return self.before + (self.last if self.over else now) - self.began

    def seconds_left(self, now: float) -> float | None:
        """A guess from the trials done so far, at most what the wall clock leaves; None where there is nothing to guess from."""
        if self.state != "open":
            return None
        gone, done, planned = self.seconds_gone(now), self.done("trials"), self.planned("trials")
        wall = self.spec.wall_s - gone
        by_trials = gone * (planned - done) / done if done >= max(2, planned // 20) else wall
        return max(0.0, min(wall, by_trials))


def ask(client: LabClient, spec: StudySpec) -> Public:
    """One look at the lab. A lab that does not answer is a state, not an error."""
    try:
        rows = client.leaderboard(spec.problem)["rows"]
        findings = [f for f in client.findings(sort="new", limit=FINDINGS) if f["study"] == spec.name]
    except AarError as error:
        return Public(fault=error.message)
    ours = {m.name for m in spec.researchers}
    ranked = tuple(r for r in rows if r["kind"] == "submission" and r["researcher"] in ours)
    human = [
        (str(r["name"]), float(r["pgr"])) for r in rows if r["kind"] in ("baseline", "human") and r["pgr"] is not None
    ]
    return Public(ranked, max(human, key=lambda h: h[1], default=None), tuple(findings))
