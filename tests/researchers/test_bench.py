"""The bench: acts are journaled, charged and told; what the sandbox leaves is checked."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aar.errors import BudgetSpent, InputError, LabError
from aar.researchers import space
from aar.researchers.base import Stopped
from aar.researchers.fakes import FakeHands
from aar.researchers.grants import Grants

SOURCE = space.source(space.draw(np.random.default_rng(0)), "a test")


def test_a_trial_joins_by_id_and_replays_to_the_bit(world: Any) -> None:
    """Predictions come in the order of the test rows, held-out ones in that of the training rows, twice the same."""
    bench = world.bench()
    trial = bench.try_method(bench.write_method("m", SOURCE))
    assert trial.error is None
    assert trial.ids == tuple(f"test{i}" for i in range(40))
    assert trial.p.shape == (3, 40)
    assert np.isfinite(trial.held_out).all()
    assert len(trial.held_out) == len(trial.weak) == 24
    bench.close()
    hands = FakeHands(world.folder / "ada", world.task)
    again = world.bench(hands=hands)
    replay = again.try_method(again.write_method("m", SOURCE))
    assert np.array_equal(replay.p, trial.p)
    assert np.array_equal(replay.held_out, trial.held_out)
    assert hands.runs == 0
    assert [e.replayed for e in world.events if e.kind == "trial"] == [False, True]


def test_a_failing_method_is_a_trial_with_an_error(world: Any) -> None:
    """Its words are shown without control characters, and it costs a trial."""
    bench = world.bench(hands=FakeHands(world.folder / "ada", world.task, broken=["m"]))
    trial = bench.try_method(bench.write_method("m", SOURCE))
    assert trial.error == "method_raised: no [2J"
    assert trial.p.shape == (0, 40)
    assert bench.budget().trials == 5


class Timed(FakeHands):
    """Remembers how long a run was given."""

    given: tuple[float, ...] = ()

    def run(self, *args: Any) -> Any:
        self.given += (args[-1],)
        return super().run(*args)


@pytest.mark.parametrize(("grants", "given"), [(Grants(), 60.0), (Grants(trial_s=9000), 9000)])
def test_a_trial_has_the_time_that_was_granted(world: Any, grants: Grants, given: float) -> None:
    """A head takes seconds, a finetuning hours."""
    hands = Timed(world.folder / "ada", world.task)
    bench = world.bench(world.assignment(grants=grants), hands=hands)
    bench.try_method(bench.write_method("m", SOURCE))
    assert hands.given == (given,)


class Hostile(FakeHands):
    """Leaves something else than predictions."""

    def __init__(self, *args: Any, leave: str) -> None:
        super().__init__(*args)
        self.leave = leave

    def run(self, method: str, out: str, *args: Any, **options: Any) -> Any:
        reply = super().run(method, out, *args, **options)
        path = self.workspace / out / "1.json"
        good = json.loads(path.read_text())
        path.unlink()
        if self.leave == "link":
            secret = self.workspace.parent / "secret.json"
            secret.write_text(json.dumps(good))
            os.symlink(secret, path)
        elif self.leave == "nan":
            path.write_text(json.dumps(good | {"p": [float("nan")] * 40}))
        elif self.leave == "other ids":
            path.write_text(json.dumps(good | {"ids": [f"x{i}" for i in range(40)]}))
        elif self.leave == "beyond 1":
            path.write_text(json.dumps(good | {"p": [7] * 40}))
        elif self.leave == "a list":
            path.write_text("[]")
        return reply


@pytest.mark.parametrize(
    ("leave", "code"),
    [
        ("link", "not_a_file"),
        ("nan", "bad_json"),
        ("other ids", "missing_ids"),
        ("beyond 1", "out_of_range"),
        ("a list", "bad_result"),
        ("nothing", "no_predictions"),
    ],
)
def test_hostile_files_are_refused(world: Any, leave: str, code: str) -> None:
    """Nothing but one probability for every id, in a plain file, is taken from a sandbox."""
    bench = world.bench(hands=Hostile(world.folder / "ada", world.task, leave=leave))
    trial = bench.try_method(bench.write_method("m", SOURCE))
    assert trial.error
    assert trial.error.startswith(code)


def test_budgets_are_never_passed(world: Any) -> None:
    """The assignment's counts hold over sessions, also for calls that were replayed."""
    for _ in range(2):
        bench = world.bench(world.assignment(trials=1, evaluations=1, submissions=1))
        method = bench.write_method("m", SOURCE)
        trial = bench.try_method(method)
        vector = dict(zip(trial.ids, trial.p[0].tolist(), strict=True))
        bench.evaluate(vector)
        bench.submission(bench.submit(method))
        for act, argument in ((bench.try_method, method), (bench.evaluate, vector), (bench.submit, method)):
            with pytest.raises(BudgetSpent):
                act(argument)
        left = bench.budget()
        assert (left.trials, left.evaluations, left.submissions, left.paid) == (0, 0, 0, 98)
        bench.close()
    assert world.lab.paid == ["ada", "ada"]


def test_the_clock_and_the_stop_end_work(world: Any) -> None:
    """After the wall clock or a stop no new act begins, but what was answered can still be replayed."""
    bench = world.bench()
    bench.write_method("m", SOURCE)
    bench.leaderboard()
    world.stop.set()
    with pytest.raises(Stopped):
        bench.leaderboard()
    bench.close()
    again = world.bench()
    assert again.leaderboard() == []
    with pytest.raises(Stopped):
        again.leaderboard()
    again.close()
    world.stop.clear()
    late = world.bench(world.assignment("bob", wall_s=0.0))
    with pytest.raises(Stopped) as caught:
        late.leaderboard()
    assert caught.value.code == "out_of_time"


def test_an_uploaded_method_is_submitted_as_that_snapshot(world: Any) -> None:
    """What a submission builds on stays known to the lab."""
    bench = world.bench()
    method = bench.write_method("m", SOURCE)
    parent = bench.upload_snapshot(bench.write_method("p", SOURCE), note="parent")
    snapshot = bench.upload_snapshot(method, [parent], "child")
    bench.submit(method)
    assert world.lab.queue[0]["snapshot"] == snapshot
    assert world.lab.parents[snapshot] == [parent]


def test_a_download_is_files_in_a_folder(world: Any) -> None:
    """A snapshot's files lie in the researcher's own folder, again after a resume that lost them."""
    bench = world.bench()
    id_ = bench.upload_snapshot(bench.write_method("m", SOURCE))
    folder = bench.download_snapshot(id_)
    assert space.read((folder / "method.py").read_text()) == space.read(SOURCE)
    bench.close()
    (folder / "method.py").unlink()
    folder.rmdir()
    again = world.bench()
    again.upload_snapshot(again.write_method("m", SOURCE))
    assert (again.download_snapshot(id_) / "method.py").read_text() == SOURCE


def test_findings_are_remembered_once(world: Any) -> None:
    """The journal keeps what changed since the last look; a resumed bench sees at each step what it saw then."""

    def look(bench: Any) -> list[list[str]]:
        return [[f.title for f in bench.findings()] for _ in range(2)]

    bench = world.bench()
    world.findings.mkdir(exist_ok=True)
    post = {
        "id": 1,
        "kind": "insight",
        "title": "one",
        "body": "b" * 5000,
        "researcher": "bob",
        "standing": "unverified",
        "runs": [],
        "builds_on": [],
    }
    (world.findings / "1.json").write_text(json.dumps(post))
    first = look(bench)
    (world.findings / "2.json").write_text(json.dumps(post | {"id": 2, "title": "two"}))
    (world.findings / "3.json").write_text("not a finding")
    second = look(bench)
    assert (first, second) == ([["one"]] * 2, [["one", "two"]] * 2)
    bench.close()
    again = world.bench()
    assert (look(again), look(again)) == (first, second)
    assert (world.folder / "ada" / "journal.jsonl").stat().st_size < 13_000


@pytest.mark.parametrize("name", ["../up", "", "a/b", "A", "x" * 61])
def test_method_names_stay_in_their_folder(world: Any, name: str) -> None:
    """A name that is no plain folder name is refused."""
    with pytest.raises(InputError):
        world.bench().write_method(name, SOURCE)


def test_a_changed_method_is_another_call(world: Any) -> None:
    """A researcher that comes back with other code under the same name is not deterministic: an error."""
    bench = world.bench()
    bench.try_method(bench.write_method("m", SOURCE))
    bench.close()
    again = world.bench()
    with pytest.raises(LabError):
        again.try_method(again.write_method("m", SOURCE + "# changed\n"))


def test_events_tell_no_control_characters(world: Any, tmp_path: Path) -> None:
    """What is shown to a person cannot move the cursor."""
    world.bench().log("a\x1b[2Jb‮c\n")
    assert world.events[-1].text == "a [2Jb c "
