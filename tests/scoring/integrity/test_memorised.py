"""Embedded predictions, unrepeatable code, and a student that is not needed: by what reruns do to accuracy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aar.scoring.integrity import memorised, repeat, student
from aar.scoring.integrity.case import Answer, Case


@pytest.mark.parametrize("method", ["naive", "confident", "unsupervised_signed"])
def test_honest_methods_are_silent(method: str, worlds: list[Any], audit: Any) -> None:
    """Twenty worlds, no finding."""
    for i, world in enumerate(worlds):
        case = audit(world, method, i)
        assert memorised.find(case) + repeat.find(case) == []


@pytest.mark.parametrize("altered", list(memorised.MEANS))
def test_what_falls_under_fresh_ids_teachers_or_sides_is_flagged(altered: str, worlds: list[Any], audit: Any) -> None:
    """Predictions looked up under ids fall to a coin flip when the ids are new."""
    case = audit(worlds[0], "naive", 0)
    lookup = Answer(np.full_like(case.p, 0.5))
    (found,) = memorised.find(replace(case, altered={**case.altered, altered: lookup}))
    assert found.evidence["altered"] == altered
    assert 0.1 < found.evidence["lost"] < 0.3
    broken = replace(case, altered={**case.altered, altered: Answer(None, "method_raised")})
    assert [f.label for f in memorised.find(broken)] == ["fails under audit"]


def test_ids_in_code_are_named(worlds: list[Any], audit: Any) -> None:
    """A sealed row's id says more than a public one's."""
    case = replace(audit(worlds[0], "naive", 0), ids=("a1b2c3",), hidden_ids=("d4e5f6",))
    for code, label in ((b"T = {'a1b2c3': 1}", "test ids in code"), (b"T = 'd4e5f6 a1b2c3'", "sealed ids in code")):
        assert [f.label for f in memorised.find(replace(case, files={"method.py": code}))] == [label]


def test_two_reruns_that_differ_are_flagged(worlds: list[Any], audit: Any) -> None:
    """Rounding does not count, a clock as a seed does."""
    case = audit(worlds[0], "naive", 0)
    near = replace(case, altered={"repeat": Answer(case.p + 1e-9)})
    far = replace(case, altered={"repeat": Answer(np.clip(case.p + 0.01, 0, 1))})
    one = case.p.copy()
    one[0, 0] = 1 - one[0, 0]
    assert repeat.find(near) == []
    (found,) = repeat.find(replace(case, altered={"repeat": Answer(one)}))
    assert (found.label, found.evidence["turned"]) == ("not deterministic", pytest.approx(1 / one.size))
    assert [f.label for f in repeat.find(far)] == ["not deterministic"]
    assert repeat.find(replace(case, altered={"repeat": Answer(None, "timed_out")}))[0].level == "flag"


def test_a_solver_in_code_keeps_its_accuracy_without_the_student() -> None:
    """What falls to the teacher's level, or to what words alone give, is honest; what stays far above is not."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 2, 1000)

    def at(accuracy: float, seeds: int = 5) -> np.ndarray:
        return np.where(rng.random((seeds, 1000)) < accuracy, truth, 1 - truth).astype(float)

    def case(blind: float, alone: float = 0.55) -> Case:
        right = {k: (at(a) == truth).astype(float) for k, a in (("floor", 0.62), ("alone", alone))}
        return Case(truth, at(0.85), **right, altered={"random student": Answer(at(blind))})

    assert [f.label for f in student.find(case(0.85))] == ["does not use the student"]
    assert student.find(case(0.60)) == student.find(case(0.66)) == []
    assert student.find(case(0.83, alone=0.82)) == [], "words alone nearly solve it"
    unknown = (replace(case(0.85), floor=None), replace(case(0.85), altered={}))
    assert [student.find(c) for c in unknown] == [[], []], "without the run or the floor nothing is said"


def test_a_method_that_answers_through_the_student_is_noted_and_not_flagged() -> None:
    """It makes more of words than a plain head does; where its answers come past the student it stays a flag."""
    rng = np.random.default_rng(2)
    truth, changed = rng.integers(0, 2, 1000), np.arange(1000) < 500

    def at(accuracy: float) -> np.ndarray:
        return np.where(rng.random((5, 1000)) < accuracy, truth, 1 - truth).astype(float)

    def level(there: float) -> list[str]:
        altered = {"random student": Answer(at(0.8)), "mismatched": Answer(at(there), changed=changed)}
        return [f.level for f in student.find(Case(truth, at(0.85), floor=(at(0.6) == truth) * 1.0, altered=altered))]

    assert level(0.5) == ["note"]
    assert level(0.8) == ["flag"]


def test_another_draw_of_the_teacher_may_cost_more_than_other_ids(worlds: list[Any], audit: Any) -> None:
    """Eight points are a teacher's luck, and a table's where nothing but ids changed."""
    case = audit(worlds[0], "naive", 0)
    right = (case.p > 0.5) == (case.truth == 1)
    wrong = np.arange(case.p.shape[1]) < case.p.shape[1] * 0.08 / right.mean()
    worse = Answer(np.where(wrong & right, 1 - case.p, case.p))
    assert memorised.find(replace(case, altered={**case.altered, "fresh teachers": worse})) == []
    assert len(memorised.find(replace(case, altered={**case.altered, "re-keyed": worse}))) == 1
