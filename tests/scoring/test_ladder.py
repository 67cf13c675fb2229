"""The Ladder tells a grid value when it is beaten by a step, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar.scoring.ladder import Ladder, step_for


@pytest.mark.parametrize(("n", "step"), [(1263, 0.01013), (400, 0.018), (300, 0.02078), (5000, 0.01)])
def test_the_step_follows_the_rows(n, step):
    """max(.01, .36 / sqrt(n))."""
    assert step_for(n) == pytest.approx(step, abs=1e-5)


@given(st.floats(0.3, 0.7), st.floats(0.01, 0.03), st.lists(st.floats(0, 1), max_size=30))
def test_only_a_whole_step_over_what_was_told_is_an_improvement(floor, step, accuracies):
    """Told values are on the grid, rise by at least a step, and are within half a step of the truth."""
    ladder = Ladder(floor, step)
    for accuracy in accuracies:
        before = ladder
        ladder, improved = ladder.answer(accuracy)
        assert improved == (accuracy > before.threshold + step * 1e-9)
        if improved:
            assert ladder.level > before.level
            assert abs(floor + ladder.level * step - accuracy) <= step / 2 + 1e-9
        else:
            assert ladder == before


def test_nothing_up_to_a_step_over_the_floor_is_told():
    """The floor itself, and a whole step over it, are not improvements; just above is."""
    ladder = Ladder(0.55, 0.018)
    assert [ladder.answer(a)[1] for a in (0.1, 0.55, 0.568, 0.5681)] == [False, False, False, True]


def test_a_told_accuracy_is_never_over_one():
    """Rounding to the grid must not promise more than everything."""
    ladder, improved = Ladder(0.55, 0.02).answer(1.0)
    assert improved
    assert ladder.told <= 1
