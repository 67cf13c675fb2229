"""Signals against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from aar.researchers.base import Trial
from aar.researchers.signals import consensus, signals_of


def trial(p: list[list[float]], held_out: list[float], weak: list[float]) -> Trial:
    return Trial(
        "t", tuple("abcd"), np.array(p, np.float32), np.array(held_out, np.float32), np.array(weak, np.float32), 0.0
    )


def test_signals_by_hand() -> None:
    """Agreement is the teacher's own probability of what is said; unasked rows do not count."""
    found = signals_of(trial([[0.9, 0.9, 0.1, 0.1], [0.9, 0.1, 0.1, 0.1]], [0.8, 0.2, np.nan], [0.7, 0.6, 0.9]))
    assert found["agreement"] == pytest.approx((0.7 + 0.4) / 2)
    assert found["seeds"] == 0.75
    assert found["balance"] == pytest.approx(1 - abs(3 / 8 - 1))
    assert found["confidence"] == pytest.approx(0.8)


def test_one_seed_and_nothing_held_out() -> None:
    """What cannot be said is told as the value that says nothing, and is a number."""
    found = signals_of(trial([[1.0, 1.0, 0.0, 0.0]], [np.nan] * 3, [0.9, 0.1, 0.9]))
    assert (found["seeds"], found["agreement"]) == (1.0, 0.5)


def test_consensus_leaves_oneself_out() -> None:
    """Two that agree and one against: the majority of the others is what counts; alone there is none."""
    a, b = np.array([[1.0, 1.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 1.0, 1.0]])
    assert consensus([a, a, a, b]) == [1.0, 1.0, 1.0, 0.0]
    assert consensus([a]) == [0.5]
