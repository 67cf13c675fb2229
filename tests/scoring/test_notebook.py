"""`aar.load`: what a notebook gets is what a method gets."""

from __future__ import annotations

import pytest

import aar
from aar.errors import NotFound
from aar.methods import vanilla
from aar.settings import LabFolder


def test_a_loaded_task_runs_a_method_and_holds_no_truth(tiny_lab: LabFolder) -> None:
    """Public rows, weak labels of the seed's teacher, a student; nothing else."""
    task = aar.load("toy", seed=1, lab=tiny_lab.root)
    assert task.train.truth is None
    assert task.test.weak is None
    assert task.train.weak is not None
    assert vanilla.run(task).aligned(task.test.ids).shape == (len(task.test),)


def test_an_unprepared_problem_says_what_to_do(tiny_lab: LabFolder) -> None:
    """Not a traceback about a missing file."""
    with pytest.raises(NotFound) as error:
        aar.load("code", lab=tiny_lab.root)
    assert "aar baseline run code" in error.value.hint
