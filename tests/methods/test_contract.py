"""The contract that every library method keeps. A new file in `methods/` is tested here without being named.

On synthetic rows with a student that features, fits, scores and generates, several teachers, a trusted split, the weak
model and one between. What a method does to a world built for its assumption is tested in its family's file.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from aar.errors import MethodError, Unsupported
from aar.methods import library
from aar.methods.card import BUDGET, FAMILIES, WHAT_IT_IS
from aar.methods.fakes import toy_task
from aar.task.runner import call_method
from aar.types import Kind, Rows, Task

NAMES = list(library.methods())
HEAD = [n for n in NAMES if "tune" not in library.card(n).inputs]  # the others: test_tuned.py, on a tiny language model
KINDS: tuple[Kind, ...] = ("pair", "binary")
CASES = [(n, k) for n in HEAD for k in KINDS if k == "pair" or "pairs" not in library.card(n).inputs]


@cache
def task_and_truth(kind: Kind) -> tuple[Task, np.ndarray]:
    task, truth = toy_task(kind, n=96)
    return replace(task, **{k: locked(v) for k in ("train", "test", "labelled") if (v := getattr(task, k))}), truth


def answer(name: str, task: Task) -> np.ndarray:
    return call_method(library.get(name), task).aligned(task.test.ids)


@cache
def first_answer(name: str, kind: Kind) -> np.ndarray:
    return answer(name, task_and_truth(kind)[0])


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_one_probability_per_id_and_inputs_left_as_they_were(name: str, kind: Kind) -> None:
    """Arrays are frozen: writing to one raises. Truth stands beside trusted rows only."""
    task, truth = task_and_truth(kind)
    p = first_answer(name, kind)
    assert p.shape == truth.shape
    assert len(np.unique(p.round(6))) > 1
    assert task.params == {}
    assert task.train.truth is task.test.truth is task.test.weak is None


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_the_same_answer_in_any_order_and_without_gold_in_reach(name: str, kind: Kind) -> None:
    """Every draw comes from the task's seed and rows are joined by id; whoever does not ask for trusted rows does the
    same without them."""
    task, _ = task_and_truth(kind)
    order = np.random.default_rng(5).permutation
    other = replace(
        task, **{k: v.take(order(len(v))) for k in ("train", "test", "labelled") if (v := getattr(task, k))}
    )
    if "labelled" not in library.card(name).inputs:
        other = replace(other, labelled=None)
    p = call_method(library.get(name), other).aligned(task.test.ids)
    np.testing.assert_allclose(p, first_answer(name, kind), atol=1e-5)


def locked(rows: Rows) -> Rows:
    held = {k: v.copy() for k in ("weak", "votes", "truth") if (v := getattr(rows, k)) is not None}
    for value in held.values():
        value.setflags(write=False)
    return replace(rows, **held)


TAUGHT = [n for n in HEAD if library.card(n).family in ("imitation", "loss", "selection")]


@pytest.mark.parametrize("name", TAUGHT)
def test_a_taught_method_learns_from_a_decent_teacher(name: str) -> None:
    """Three standard errors above chance on 96 rows, where the teacher's errors are random and the student can represent
    the truth."""
    assert ((first_answer(name, "pair") > 0.5) == task_and_truth("pair")[1]).mean() > 0.66


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_is_said_and_never_emulated(name: str) -> None:
    """Each input of the card taken away in turn: Unsupported, which is reported as "not run on this student"."""
    for absent in library.card(name).inputs:
        with pytest.raises(Unsupported, match="not run on this student"):
            library.get(name).run(without(task_and_truth("pair")[0], absent))


def without(task: Task, absent: str) -> Task:
    if absent == "pairs":
        return task_and_truth("binary")[0]
    if absent in ("weak", "votes"):
        return replace(task, train=replace(task.train, **{absent: None}))
    if absent in ("labelled", "weak_model", "ladder"):
        return replace(task, **{absent: () if absent == "ladder" else None})
    student = task.student.at(1)  # type: ignore[attr-defined]
    crippled = type(student)(student.store, student.kind, student.opinions)
    crippled.can = student.can - {absent}
    return replace(task, student=crippled)


@pytest.mark.parametrize("name", NAMES)
def test_the_card_tells_the_truth(name: str) -> None:
    """Family, inputs and source are there; every setting of the grid is known and within the budget; a wrong name is not."""
    card = library.card(name)
    assert card.family in FAMILIES
    assert set(card.inputs) <= set(WHAT_IT_IS)
    assert len(card.source) > 10
    assert card.summary
    assert len(card.configurations()) == 1 + len(card.grid) <= BUDGET
    assert all(card.settle(setting) != card.defaults for setting in card.grid)
    assert card.formula or card.family in ("combination", "elicitation", "search", "generative")
    with pytest.raises(MethodError, match="no_such"):
        card.settle({"no_such": 1})


@pytest.mark.soak
@pytest.mark.parametrize(("name", "setting"), [(n, i) for n in HEAD for i in range(len(library.card(n).grid))])
def test_every_setting_of_the_grid_runs(name: str, setting: int) -> None:
    """And says something else than the defaults do."""
    task, _ = task_and_truth("pair")
    p = answer(name, replace(task, params=library.card(name).grid[setting]))
    assert not np.array_equal(p, first_answer(name, "pair"))
