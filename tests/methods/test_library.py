"""Finding methods and putting parts together. What every method must keep is in test_contract.py."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from aar.errors import MethodError, NotFound
from aar.methods import library
from aar.methods.fakes import toy_task
from aar.methods.parts import labels, selections, weights
from aar.methods.parts.recipe import Recipe, steps

FITTING = [*itertools.zip_longest(steps(labels), steps(selections), steps(weights), fillvalue=None)]


@pytest.mark.parametrize(("label", "select", "weigh"), FITTING)
def test_parts_fit_together(label: str | None, select: str | None, weigh: str | None) -> None:
    """Every label, selection and weight step, in company, with a round of self-training and an ensemble on top."""
    task, truth = toy_task(n=160)
    recipe = Recipe(label or "hard", select=select or "everything", weigh=weigh or "evenly", rounds=1, members=2)
    p = recipe.run(task).aligned(task.test.ids)
    assert ((p > 0.5) == truth).mean() > 0.6


def test_wrong_names_say_what_is_known() -> None:
    """An unknown method, step or parameter answers with the known ones."""
    task, _ = toy_task()
    with pytest.raises(NotFound, match="vanila"):
        library.get("vanila")
    with pytest.raises(MethodError) as step:
        Recipe(label="nothing").run(task)
    assert "balanced" in step.value.hint
    with pytest.raises(MethodError) as parameter:
        library.card("confident").open(replace(task, params={"treshold": 1}))
    assert "threshold" in parameter.value.hint


def test_balanced_labels_have_the_prior_as_their_mean() -> None:
    """And keep the order of the rows."""
    task, _ = toy_task()
    skewed = replace(task, train=task.train.with_weak(task.train.weak**3))
    target = labels.balanced(skewed, prior=0.4)
    assert abs(target.mean() - 0.4) < 1e-6
    assert (np.argsort(target, kind="stable") == np.argsort(skewed.train.weak, kind="stable")).all()


def test_no_row_vouches_for_itself() -> None:
    """A neighbour vote on a row does not move with that row's own label (the published step counts it)."""
    task, _ = toy_task()
    flipped = task.train.weak.copy()
    flipped[3] = 1 - flipped[3]
    changed = replace(task, train=task.train.with_weak(flipped))
    assert labels.neighbours(task, k=5)[3] == labels.neighbours(changed, k=5)[3]
