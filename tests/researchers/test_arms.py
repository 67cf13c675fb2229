"""The arms at work in the fake world: within budget, in the open, the same again after a kill at any point."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aar.researchers import configs
from aar.researchers.base import researchers
from aar.researchers.explorer import AbstractExplorer
from aar.researchers.fakes import FakeClient
from aar.researchers.findings import data_of
from aar.researchers.guess import SIGNALS

World = Any
ARMS = [
    name for name, make in researchers if isinstance(make, type) and issubclass(make, AbstractExplorer)
]  # others have tests of their own


@pytest.mark.parametrize("arm", ARMS)
def test_an_arm_works_within_its_budget(world: World, arm: str) -> None:
    """All trials distinct, answers paid once each, a submission that ran, findings that programs can read."""
    world.work(world.assignment(arm=arm, direction="confident-rows", trials=8, evaluations=2, submissions=2))
    recipes = [configs.read(e.data["source"]) for e in world.events if e.kind == "trial"]
    assert len({configs.canonical(r) for r in recipes}) == 8
    assert all(r["select"] == "confident" for r in recipes[:2])
    kinds = [e.kind for e in world.events]
    assert kinds.count("evaluation") == 2
    assert kinds.count("submission") == kinds.count("verdict") == 2
    assert len(world.lab.paid) == 4
    results = [p for p in world.lab.posts if p["runs"]]
    assert results
    assert all(configs.checked(data_of(p["body"])["recipe"]) for p in world.lab.posts)


@pytest.mark.parametrize("arm", ARMS)
def test_same_seed_same_work(world: World, arm: str, tmp_path: Path) -> None:
    """Two researchers with one seed and the same answers do the same; another seed does something else."""
    sources = []
    for seed in (1, 1, 2):
        fresh = type(world)(tmp_path / f"w{len(sources)}")
        fresh.work(fresh.assignment(arm=arm, seed=seed, trials=4))
        sources.append([e.data["source"] for e in fresh.events if e.kind == "trial"])
    assert sources[0] == sources[1] != sources[2]


def test_a_spent_lab_is_normal_life(world: World) -> None:
    """Where the lab answers nothing the arm still tries, submits what it holds best, and ends."""
    world.lab.limit = 0
    world.work(world.assignment(submissions=1, evaluations=3, trials=4))
    kinds = [e.kind for e in world.events]
    assert (kinds.count("trial"), kinds.count("evaluation"), kinds.count("submission")) == (4, 0, 1)


def test_search_builds_on_a_better_verdict(world: World) -> None:
    """It reads another's snapshot, names snapshot and finding, and its own submissions carry the lineage."""
    world.work(world.assignment("bob", direction="confident-rows", seed=0, trials=12, evaluations=0))
    assert world.lab.queue[0]["verdict"]["pgr"] > 0
    for i in range(10):
        world.work(world.assignment(f"ada{i}", seed=i, trials=8, evaluations=0))
    logs = [e.text for e in world.events if e.kind == "log"]
    assert any(text.startswith("builds on submission 1 of bob") for text in logs)
    bobs = world.lab.queue[0]["snapshot"]
    assert any(bobs in parents for parents in world.lab.parents.values())


def test_claims_without_the_board_are_not_believed(world: World) -> None:
    """A finding that boasts and brings code is neither adopted nor run; its number moves a guess at most."""
    liar = world.lab.client("liar")
    boast = {"recipe": {}, "signals": dict.fromkeys(SIGNALS, 1.0), "pgr": 9.0}
    liar.post_finding("result", "PGR 9\x1b[31m", f"```json\n{json.dumps(boast)}\n```")
    world.work(world.assignment("bob", trials=2, evaluations=0, submissions=0))
    world.work(world.assignment("ada", trials=6, evaluations=0))
    assert not [e for e in world.events if e.kind == "log" and "builds on" in e.text]


def test_code_that_is_no_recipe_is_left_alone(world: World) -> None:
    """A snapshot with other code on top of the board is noted and not used."""
    bench = world.bench(world.assignment("bob"))
    folder = bench.write_method("m", "raise SystemExit('run out here')\n")
    bench.submit(folder)
    world.lab.queue[0] |= {"state": "verified", "verdict": {"pgr": 0.9}}
    bench.close()
    world.work(world.assignment("ada", trials=4, evaluations=0))
    assert any("cannot build on bob" in e.text for e in world.events if e.kind == "log")


class Kill(BaseException):
    """What no handler catches, as a kill."""


class Killed(FakeClient):
    """Dies at its nth call: before the lab hears of it, or after the lab acted and before the answer arrives."""

    def __init__(self, lab: Any, name: str, at: int, after: bool) -> None:
        super().__init__(lab, name)
        self.left, self.after = at, after

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("_") or not callable(found):
            return found

        def call(*args: Any, **options: Any) -> Any:
            self.left -= 1
            if self.left == 0 and not self.after:
                raise Kill
            answer = found(*args, **options)
            if self.left == 0:
                raise Kill
            return answer

        return call


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_at_any_call_changes_nothing(world: World, tmp_path: Path, after: bool) -> None:
    """Whichever call dies, once resumed the lab holds exactly what an undisturbed researcher leaves: no charge,
    finding, snapshot or submission twice, none missing."""
    world.work(world.assignment(trials=4))
    calls = at = 0
    while True:
        at += 1
        other = type(world)(tmp_path / f"kill{at}")
        client = Killed(other.lab, "ada", at, after)
        try:
            other.work(other.assignment(trials=4), client)
            break
        except Kill:
            calls += 1
            other.work(other.assignment(trials=4))
        for what in ("paid", "posts", "code", "parents", "queue"):
            assert getattr(other.lab, what) == getattr(world.lab, what), (at, what)
    assert calls > 10
