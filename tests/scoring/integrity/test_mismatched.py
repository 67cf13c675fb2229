"""Half of the rows shown with another row's features: who still knows the answers there did not get them from the student."""

from __future__ import annotations

import numpy as np
import pytest

from aar.scoring.integrity.case import Answer, Case
from aar.scoring.integrity.mismatched import find

N = 420


def case(honest: float, there: float, elsewhere: float | None = None, seed: int = 0) -> Case:
    """Accuracy `honest` in the verdict; in the altered run `there` on the changed rows and `elsewhere` on the others."""
    rng = np.random.default_rng(seed)
    truth, changed = rng.integers(0, 2, N), rng.permutation(N) < N // 2

    def at(accuracy: np.ndarray) -> np.ndarray:
        return np.where(rng.random((2, N)) < accuracy, truth, 1 - truth).astype(float)

    p = at(np.full(N, honest))
    altered = np.where(changed, at(np.full(N, there)), p if elsewhere is None else at(np.full(N, elsewhere)))
    return Case(truth, p, altered={"mismatched": Answer(altered, changed=changed)})


@pytest.mark.parametrize("accuracy", [0.66, 0.8, 0.95])
def test_a_method_that_answers_through_the_student_is_at_a_coin_flip(accuracy: float) -> None:
    """Silent on twenty draws, however good it is."""
    assert [find(case(accuracy, 0.5, seed=seed)) for seed in range(20)] == [[]] * 20


@pytest.mark.parametrize(("there", "of_twenty"), [(1.0, 20), (0.85, 20), (0.68, 17)])
def test_what_stays_right_under_strange_features_was_read_in_the_text(there: float, of_twenty: int) -> None:
    """A solver, a table with holes; a shortcut that is right on two thirds is seen in most draws of two seeds."""
    found = [f for seed in range(20) for f in find(case(0.9, there, seed=seed))]
    assert {f.label for f in found} == {"answers past the student"}
    assert len(found) >= of_twenty
    assert np.mean([f.evidence["accuracy"] for f in found]) == pytest.approx(there, abs=0.02)


def test_a_method_that_falls_where_nothing_changed_knew_of_the_audit() -> None:
    """It cheats in the verdict and is honest once it sees odd features; a little blur is no sign."""
    assert [f.label for f in find(case(1.0, 0.5, elsewhere=0.8))] == ["recognises the audit"]
    assert find(case(0.8, 0.5, elsewhere=0.79)) == []


def test_without_the_run_nothing_is_said() -> None:
    """It failed, or was not run: the checks on other alterations speak of that."""
    truth = np.array([0, 1])
    assert find(Case(truth, np.array([[0.1, 0.9]]))) == []
    assert find(Case(truth, np.array([[0.1, 0.9]]), altered={"mismatched": Answer(None, "unsupported")})) == []
