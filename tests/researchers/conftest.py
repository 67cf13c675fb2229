"""A fake world for arms and benches: tasks without meaning, a lab that answers once per key."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from aar.researchers.base import Assignment, Event, researchers
from aar.researchers.bench import Bench
from aar.researchers.fakes import FakeClient, FakeExecutor, FakeHands, FakeLab, write_task
from aar.researchers.findings import sync_findings


class World:
    """One fake lab and its researchers. `crash`: called before and after each act of a client, with its name."""

    def __init__(self, folder: Path, limit: int = 100) -> None:
        self.folder, self.task = folder, write_task(folder / "task", train=24, test=40)
        self.lab, self.findings = FakeLab(self.task, limit), folder / "findings"
        self.events: list[Event] = []
        self.stop = threading.Event()

    def assignment(self, name: str = "ada", arm: str = "search", direction: str = "none", **changes: Any) -> Assignment:
        given = {"seed": 1, "trials": 6, "evaluations": 1, "submissions": 1, "wall_s": 600.0} | changes
        return Assignment("s", name, arm, direction, **given)

    def bench(self, assignment: Assignment | None = None, client: FakeClient | None = None, hands: Any = None) -> Bench:
        who = assignment or self.assignment()
        home = self.folder / who.name
        hands = hands or FakeHands(home, self.task)
        return Bench(
            who,
            home,
            client or self.lab.client(who.name),
            hands,
            FakeExecutor(),
            self.findings,
            "toy",
            self.stop,
            self.events.append,
        )

    def work(self, assignment: Assignment, client: FakeClient | None = None) -> None:
        """One whole session of an arm; the forum is synced afterwards."""
        bench = self.bench(assignment, client)
        try:
            researchers.get(assignment.arm)(assignment).work(bench)
        finally:
            bench.close()
        sync_findings(self.lab.client(assignment.name), self.findings)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)
