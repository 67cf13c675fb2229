"""Claims follow intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_ind

from aar.analysis.claims import Figure, compare, difference, mean_difference, recovered
from aar.types import NotScored


def test_a_difference_needs_an_interval_without_zero() -> None:
    """Beats, is beaten, or neither, by the interval alone and not by the mean."""
    assert compare("search", "random", Figure(0.3, 0.01, 0.6)).text.startswith(
        "search beat random by 0.30 [0.01, 0.60]"
    )
    assert compare("search", "random", Figure(-0.3, -0.6, -0.01)).text.startswith(
        "random beat search by 0.30 [0.01, 0.60]"
    )
    for diff in (Figure(0.3, -0.001, 0.6), Figure(0.3, 0.0, 0.6), NotScored("one seed")):
        claim = compare("search", "random", diff)
        assert "no difference shown" in claim.text
        assert "beat" not in claim.text
        assert not claim.shown


def test_recovery_needs_a_lower_end_above_zero() -> None:
    """The gap was narrowed only if the interval says so."""
    assert recovered("x", Figure(0.2, 0.01, 0.4)).shown
    assert "no recovery shown" in recovered("x", Figure(0.2, -0.01, 0.4)).text
    assert "worse than the teacher" in recovered("x", Figure(-0.2, -0.4, -0.01)).text
    assert recovered("x", None).text == "x: not scored"


def test_square_and_add_is_exact_for_normals() -> None:
    """Symmetric intervals add like variances, and swapping the two turns the sign."""
    a, b = Figure(0.5, 0.2, 0.8), Figure(0.1, -0.3, 0.5)
    assert difference(a, b) == Figure(0.4, pytest.approx(-0.1), pytest.approx(0.9))
    back = difference(b, a)
    assert (back.lo, back.hi) == (pytest.approx(-0.9), pytest.approx(0.1))


def test_asymmetric_ends_cross() -> None:
    """The lower end of a - b comes from a's lower and b's upper side."""
    found = difference(Figure(0.5, 0.5, 0.9), Figure(0.1, -0.7, 0.1))
    assert found.lo == pytest.approx(0.4)
    assert found.hi == pytest.approx(0.4 + np.hypot(0.4, 0.8))


def test_arms_agree_with_welch() -> None:
    """The same interval as scipy's."""
    a, b = [0.5, 0.42, 0.61, 0.38], [0.2, 0.4, 0.31]
    found = mean_difference(a, b)
    reference = ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert isinstance(found, Figure)
    assert (found.lo, found.hi) == (pytest.approx(reference.low), pytest.approx(reference.high))


def test_false_claims_are_rare() -> None:
    """Two arms that are the same are told apart in about 5 % of studies."""
    rng = np.random.default_rng(0)
    claims = [
        compare("a", "b", mean_difference(rng.normal(0.3, 0.1, 7), rng.normal(0.3, 0.1, 3))).shown for _ in range(2000)
    ]
    assert 0.02 < np.mean(claims) < 0.08


def test_one_researcher_is_no_arm() -> None:
    """Without repetition there is no interval, and so no claim."""
    assert isinstance(mean_difference([0.5], [0.1, 0.2]), NotScored)
    assert isinstance(mean_difference([0.5, 0.5], [0.1, 0.1]), NotScored)


def test_figures_are_read_or_refused() -> None:
    """A missing or odd number is no figure, never zero."""
    assert Figure.read({"pgr": 0.1, "lo": 0, "hi": 1}) == Figure(0.1, 0.0, 1.0)
    for raw in (
        None,
        {},
        {"pgr": None, "lo": 0, "hi": 1},
        {"mean": True, "lo": 0, "hi": 1},
        {"pgr": float("nan"), "lo": 0, "hi": 1},
    ):
        assert Figure.read(raw) is None
