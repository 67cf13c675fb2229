"""The contract that every library method keeps, on a student without a language model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aar.errors import MethodError, NotFound, Unsupported
from aar.methods import library
from aar.methods.parts import labels, selections
from aar.methods.parts.recipe import Recipe, steps
from aar.models.student import HeadStudent
from aar.models.toy import ArrayStore, learnable
from aar.types import Claim, Pair, Rows, Task

QUICK = [n for n in library.methods() if library.card(n).cost == "seconds"]


def make_task(kind: str = "pair", n: int = 80, seed: int = 0) -> tuple[Task, np.ndarray]:
    """A task whose teacher is right on 80 % of the rows, and the truth of its test rows."""
    student = HeadStudent(ArrayStore(16), "toy", kind, 2)  # type: ignore[arg-type]
    text = (lambda i: Pair(f"q{i}", f"a{i}", f"b{i}")) if kind == "pair" else (lambda i: Claim(f"q{i}", f"c{i}"))
    rows = [Rows(kind, tuple(f"{s}{i}" for i in range(n)), tuple(text(f"{s}{i}") for i in range(n))) for s in "ab"]  # type: ignore[arg-type]
    whole = Rows(kind, rows[0].ids + rows[1].ids, rows[0].texts + rows[1].texts)  # type: ignore[arg-type]
    truth = learnable(student, whole)
    rng = np.random.default_rng(seed)
    sure = rng.uniform(0.55, 0.95, n)
    said = np.where(rng.random(n) < 0.8, truth[:n], 1 - truth[:n])
    return Task("toy", kind, 0, rows[0].with_weak(np.where(said > 0.5, sure, 1 - sure)), rows[1], student), truth[n:]  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["pair", "binary"])
@pytest.mark.parametrize("name", QUICK)
def test_every_method_keeps_the_contract(name: str, kind: str) -> None:
    """One probability per id, the same twice, inputs untouched, and the order of rows does not matter to who gets what."""
    task, _ = make_task(kind)
    before = task.train.weak.copy()
    try:
        first = library.get(name).run(task)
    except Unsupported:
        assert "pairs" in library.card(name).inputs
        return
    p = first.aligned(task.test.ids)
    np.testing.assert_array_equal(p, library.get(name).run(task).aligned(task.test.ids))
    np.testing.assert_array_equal(task.train.weak, before)
    turned = replace(task, test=task.test.take(np.arange(len(task.test))[::-1]))
    np.testing.assert_allclose(library.get(name).run(turned).aligned(task.test.ids), p, atol=1e-4)


@pytest.mark.parametrize("name", QUICK)
def test_every_method_learns_from_a_decent_teacher(name: str) -> None:
    """Well above chance where the teacher's errors are random and the student can represent the truth. (CCS is not
    taught: on features without structure it finds any direction, so it is only asked to run.)"""
    task, truth = make_task(n=300)
    p = library.get(name).run(task).aligned(task.test.ids)
    assert ((p > 0.5) == truth).mean() > (0.7 if name != "ccs" else 0.3)


@pytest.mark.parametrize("label", steps(labels))
@pytest.mark.parametrize("select", steps(selections))
def test_every_combination_of_parts_runs(label: str, select: str) -> None:
    """Label and selection steps fit together freely, with a round of self-training and an ensemble on top."""
    task, truth = make_task(n=160)
    p = Recipe(label=label, select=select, rounds=1, members=2).run(task).aligned(task.test.ids)
    assert ((p > 0.5) == truth).mean() > 0.6


def test_wrong_names_say_what_is_known() -> None:
    """An unknown method, step or parameter answers with the known ones."""
    task, _ = make_task()
    with pytest.raises(NotFound, match="vanila"):
        library.get("vanila")
    with pytest.raises(MethodError) as step:
        Recipe(label="nothing").run(task)
    assert "balanced" in step.value.hint
    with pytest.raises(MethodError) as parameter:
        library.card("confident").settle({"treshold": 1})
    assert "threshold" in parameter.value.hint


def test_balanced_labels_have_the_prior_as_their_mean() -> None:
    """And keep the order of the rows."""
    task, _ = make_task()
    skewed = replace(task, train=task.train.with_weak(task.train.weak**3))
    target = labels.balanced(skewed, prior=0.4)
    assert abs(target.mean() - 0.4) < 1e-6
    assert (np.argsort(target, kind="stable") == np.argsort(skewed.train.weak, kind="stable")).all()


def test_no_row_vouches_for_itself() -> None:
    """A neighbour vote on a row does not move with that row's own label (the published step counts it)."""
    task, _ = make_task()
    flipped = task.train.weak.copy()
    flipped[3] = 1 - flipped[3]
    changed = replace(task, train=task.train.with_weak(flipped))
    assert labels.neighbours(task, k=5)[3] == labels.neighbours(changed, k=5)[3]
