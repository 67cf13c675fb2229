"""What an altered task shows: all that can be learnt is as before, nothing that was brought along fits, training rows are wired."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aar.attacks.cheating import solved
from aar.attacks.field.planted import PROBLEM, make
from aar.errors import MethodError
from aar.models.heads import Head
from aar.sandboxes import Sandbox
from aar.scoring.integrity.case import Answer
from aar.scoring.integrity.reruns import Reruns
from aar.scoring.integrity.stand_in import Turn
from aar.scoring.layout import rerun_task, server_seeds
from aar.scoring.problem import Card, Problem
from aar.scoring.rerun import Alteration, RerunRules
from aar.scoring.rerun import Answer as Told
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.task.folder import TaskSpec, open_task
from aar.types import Fit, Predictions, Rows, Task

LEFT = frozenset({"part1.tmp"})
Asked = Callable[[str, Callable[[Task], np.ndarray]], tuple[Any, Reruns]]
Opened = Callable[[str], tuple[Task, list[str]]]  # alteration ("" for none) -> task, real ids of its test rows


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> LabFolder:
    lab = LabFolder(tmp_path_factory.mktemp("planted") / "lab")
    make(lab)
    return lab


@pytest.fixture(scope="module")
def opened(planted: LabFolder, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """Tasks of the planted testbed as a rerun sees them, plain or altered."""
    home, lab = tmp_path_factory.mktemp("altered"), planted

    def open_altered(name: str) -> tuple[Task, list[str]]:
        folder, features = (Path(tempfile.mkdtemp(dir=home)) for _ in range(2))
        real = rerun_task(
            lab, PROBLEM, folder, server_seeds(lab, "1", 1, Card.load(lab, PROBLEM)), "1" + name.removeprefix("_wired")
        )
        roots: list[Path] = [lab.features, lab.sealed_features]
        if name:
            reruns = Reruns(lab, NO_SANDBOX, PROBLEM, "1", {}, tuple(real.values()), RerunRules())
            shown = getattr(reruns, name)(folder, features, real)
            roots = [features] if shown == "features" else [lab.features, features]
        mount(folder, roots)
        task = open_task(folder)
        return task, [real[i] for i in task.test.ids]

    return open_altered


def mount(task: Path, roots: list[Path]) -> None:
    """The task's models read these features, as a sandbox would have it."""
    spec, seen = TaskSpec.load(task), tuple(map(str, roots))
    assert spec.weak_model
    student, teacher = replace(spec.student, features=seen, folder=None), replace(spec.weak_model, features=seen)
    replace(spec, student=student, weak_model=teacher).save(task)


NO_SANDBOX: Sandbox = None  # type: ignore[assignment]  # alterations are made outside of it


@pytest.fixture
def asked(planted: LabFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Reruns of a plain function instead of a method in a sandbox, by the alteration's name."""

    def ask(name: str, method: Callable[[Task], np.ndarray]) -> tuple[Any, Reruns]:
        def here(
            lab: LabFolder, sandbox: Sandbox, problem: Problem, submission: str, files: dict[str, bytes],
            rules: RerunRules, alter: Alteration, log: str,
        ) -> list[Told]:  # fmt: skip
            folder, features = (Path(tempfile.mkdtemp(dir=tmp_path)) for _ in range(2))
            seeds = server_seeds(lab, submission, rules.seeds, Card.load(lab, problem))
            real = rerun_task(lab, problem, folder, seeds, submission + alter.salt)
            kept = {None: [lab.features, lab.sealed_features], "sealed": [lab.features]}
            mount(folder, [*kept.get(alter.change(folder, features, real), []), features])
            tasks = [open_task(folder, seed.name) for seed in seeds]
            return [Told(Predictions(tuple(map(real.__getitem__, t.test.ids)), method(t)), 0.0, LEFT) for t in tasks]

        monkeypatch.setattr("aar.scoring.integrity.reruns.answers", here)
        ids = Sealed(planted).rows(PROBLEM.testbed, "test").ids
        rerun = Reruns(planted, NO_SANDBOX, PROBLEM, "1", {}, ids, RerunRules(seeds=3))
        return rerun(name), rerun

    return ask


def accuracy(p: np.ndarray, rows: Rows) -> float:
    return float(((p > 0.5) == solved(rows)).mean())


def test_what_is_learnt_survives_other_dimensions_and_what_was_brought_does_not(opened: Opened) -> None:
    """A head trained in the run and the teacher answer each row as before; a head trained at home is at a coin flip."""
    told, at_home = {}, np.empty(0)
    for name in ("", "_rekeyed"):
        task, real = opened(name)
        (model,) = task.student.fit([Fit(task.train, (task.train.weak > 0.5).astype("f4"), seed=1)])
        assert task.weak_model
        x = task.student.features(task.train)
        at_home = at_home if at_home.size else np.linalg.lstsq(x, solved(task.train) - 0.5, rcond=None)[0]
        brought = accuracy(task.student.features(task.test) @ at_home + 0.5, task.test)
        order = np.argsort(real)
        told[name] = (
            task,
            model.predict(task.test)[order],
            task.weak_model.predict(task.test)[order],
            brought,
        )
    (plain, honest, teacher, fits), (altered, honest_then, teacher_then, fits_not) = told.values()
    assert np.abs(honest - honest_then).max() < 0.02
    assert np.abs(teacher - teacher_then).max() < 0.02
    assert fits > 0.85
    assert abs(fits_not - 0.5) < 0.1
    for before, after in ((plain.train, altered.train), (plain.test, altered.test)):
        assert not set(before.ids) & set(after.ids)
        assert not set(before.texts) & set(after.texts)
    labels = [
        {(t.first.strip(), t.second.strip(), t.prompt.split(".")[0]): w for t, w in zip(r.texts, r.weak, strict=True)}  # type: ignore[union-attr, arg-type]
        for r in (plain.train, altered.train)
    ]
    assert labels[0] == labels[1]
    assert list(labels[0]) != list(labels[1])


def test_training_rows_are_wired_as_well_and_look_the_same_to_the_student(opened: Opened) -> None:
    """About a quarter of either, since who runs code may do it to make labels."""
    (plain, _), (wired, _) = opened(""), opened("_wired")
    for before, after in ((plain.train, wired.train), (plain.test, wired.test)):
        changed = np.array([a != b for a, b in zip(before.texts, after.texts, strict=True)])
        assert 0.15 < changed.mean() < 0.35
        assert all("/workspace" in str(t) for t, c in zip(after.texts, changed, strict=True) if c)
        h, shown = plain.student.features(before), wired.student.features(after)
        assert np.allclose(h, shown, atol=0.1)
        assert (h[changed] == shown[changed]).mean() < 0.2, "no row can be looked up; some figures round to the same"


def test_no_dimension_keeps_its_place() -> None:
    """One that tells everything would stay readable where it stood."""
    for seed in range(50):
        turn = Turn.draw(24, np.random.default_rng(seed))
        assert sorted(turn.order) == list(range(24))
        assert (turn.order != np.arange(24)).all()


def test_a_head_goes_with_its_turned_features() -> None:
    """Its answers stay, also those of a claim's head, which centres what it reads."""
    rng = np.random.default_rng(0)
    shapes = {"weight": (5, 24), "out": (5,), "inner": (5,), "bias": (1,)}
    params = {name: rng.normal(size=shape).astype("f4") for name, shape in shapes.items()}
    plain = Head("binary", params, rng.normal(size=24).astype("f4"), rng.uniform(0.5, 2, 24).astype("f4"))
    turn, x = Turn.draw(24, rng), rng.normal(size=(50, 24)).astype("f4")
    assert np.allclose(turn.head(plain).logits(turn(x)), plain.logits(x), atol=1e-4)
    assert not np.allclose(plain.logits(turn(x)), plain.logits(x), atol=0.5)


def head(task: Task) -> np.ndarray:
    """The honest method."""
    (model,) = task.student.fit([Fit(task.train, (task.train.weak > 0.5).astype("f4"), seed=task.seed)])
    return model.predict(task.test)


def test_other_labels_reach_every_run_and_its_teacher(asked: Asked) -> None:
    """Permuted ones say nothing, inverted ones the opposite, flipped ones the opposite on 40 %, fresh ones are new."""
    labels: dict[str, list[np.ndarray]] = {}
    follows: dict[str, list[float]] = {}
    for name in ("repeat", "permuted", "inverted", "flipped", "fresh teachers"):

        def look(task: Task, name: str = name) -> np.ndarray:
            order = np.argsort(task.train.ids)
            labels.setdefault(name, []).append(task.train.weak[order])
            follows.setdefault(name, []).append(alike(task.weak_model.predict(task.train)[order], labels[name][-1]))
            return np.zeros(len(task.test))

        asked(name, look)
    assert {name: len(runs) for name, runs in labels.items()} == dict.fromkeys(labels, 3)
    for i, weak in enumerate(labels["repeat"]):
        assert np.allclose(labels["inverted"][i], 1 - weak)
        assert abs(alike(labels["permuted"][i], weak)) < 0.2
        turned = ~np.isclose(labels["flipped"][i], weak)
        assert 0.3 < turned.mean() < 0.5
        assert np.allclose(labels["flipped"][i][turned], 1 - weak[turned])
        assert 0.2 < alike(labels["fresh teachers"][i], weak) < 0.999
    assert np.allclose(labels["permuted"][0] + labels["permuted"][1], 1)
    assert not np.allclose(*labels["flipped"][:2])
    assert {name for name, runs in follows.items() if min(runs) < 0.2} == set()


def alike(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def test_swapped_sides_are_turned_back(asked: Asked) -> None:
    """Who knows each answer is right in both, though the two sides of every row have changed places."""
    seen: dict[str, Rows] = {}

    def solve(task: Task) -> np.ndarray:
        seen[task.name] = task.test
        return solved(task.test)

    (plain, _), before = asked("repeat", solve), seen.popitem()[1]
    (swapped, _), after = asked("swapped", solve), seen.popitem()[1]
    assert after == before.swap()
    assert np.array_equal(plain.p, swapped.p)
    assert swapped.touched == plain.touched == (), "files that are left count where there are wires"


def test_half_of_the_rows_are_shown_with_the_features_of_others(asked: Asked) -> None:
    """There an honest head is at a coin flip, on the other half it answers as before; the training rows are as before."""
    (plain, _), (altered, _), (known, _) = (
        asked("repeat", head),
        asked("mismatched", head),
        asked("repeat", lambda t: solved(t.test)),
    )
    changed, truth = altered.changed, known.p[0]
    assert 0.4 < changed.mean() < 0.6
    right = ((altered.p > 0.5) == truth).mean(0)
    assert abs(right[changed].mean() - 0.5) < 0.1
    assert right[~changed].mean() > 0.7
    assert np.abs(altered.p - plain.p)[:, ~changed].max() < 0.05


def test_a_random_student_knows_words_and_the_teacher_is_as_before(asked: Asked) -> None:
    """What a plain head learns from it is kept beside the answer."""
    (plain, _), (altered, rerun) = asked("repeat", head), asked("random student", head)
    (before, _), (after, _) = (asked(n, lambda t: t.weak_model.predict(t.test)) for n in ("repeat", "random student"))
    assert np.allclose(before.p, after.p)
    assert np.abs(rerun.alone - altered.p).max() < 0.01
    assert abs(alike(plain.p.ravel(), altered.p.ravel())) < 0.5


def test_wires_that_went_off_and_failures_are_told(asked: Asked) -> None:
    """The files that a wired run leaves, the rows that held a wire, the code of an error; rows re-keyed have new ids."""
    (wired, _), ids = asked("tripwires", lambda t: np.zeros(len(t.test))), []
    assert wired.touched == tuple(LEFT)
    assert 0.15 < wired.changed.mean() < 0.35

    def fail(task: Task) -> np.ndarray:
        ids.append(set(task.test.ids))
        raise MethodError("no", code="method_raised")

    assert [asked(name, fail)[0] for name in ("repeat", "re-keyed")] == [Answer(None, "method_raised")] * 2
    assert not ids[0] & ids[1]
