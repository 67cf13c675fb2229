"""Claims against reruns: lucky seeds and made-up figures are told from honest ones."""

from __future__ import annotations

import numpy as np
import pytest

from aar.scoring.integrity import claims, seeds
from aar.scoring.integrity.case import Case

TRUTH, P = np.array([0, 1]), np.array([[0.1, 0.9]])


def case(claimed: float | None, pgr: tuple[float, ...]) -> Case:
    return Case(TRUTH, P, claimed=claimed, pgr=pgr)


def test_honest_means_are_rarely_flagged_and_best_of_200_always() -> None:
    """A claim that is the mean of five own seeds; a claim that is the best of 200."""
    rng = np.random.default_rng(0)
    runs = [
        (rng.normal(0.4, 0.05, 5), rng.normal(0.4, 0.05, 5).mean(), rng.normal(0.4, 0.05, 200).max())
        for _ in range(400)
    ]
    honest = [bool(seeds.find(case(float(mean), tuple(r)))) for r, mean, _ in runs]
    picked = [bool(seeds.find(case(float(best), tuple(r)))) for r, _, best in runs]
    assert np.mean(honest) <= 0.05
    assert np.mean(picked) >= 0.6  # five reruns with a large sd of their own explain some lucky ones


@pytest.mark.parametrize("claimed", [None, 0.4, 0.45])
def test_no_claim_or_a_fair_one_is_silent(claimed: float | None) -> None:
    """Silence is the normal case."""
    fair = case(claimed, (0.4, 0.42, 0.38, 0.41, 0.39))
    assert not claims.find(fair)
    assert not seeds.find(case(0.41 if claimed else None, fair.pgr))


def test_a_made_up_figure_is_flagged_and_a_modest_one_noted() -> None:
    """PGR 99 on the reference's board; a claim far under the rerun is odd, not a gain."""
    (found,) = claims.find(case(99.0, (0.4, 0.42, 0.38)))
    assert (found.level, found.label) == ("flag", "claim unsupported")
    assert claims.find(case(0.0, (0.4, 0.42, 0.38)))[0].level == "note"


def test_seeds_that_differ_widely_excuse_no_impossible_claim() -> None:
    """Twice the gap was never reached by anybody, whatever six standard deviations would allow."""
    wide = (0.1, 0.9)
    assert [f.level for f in claims.find(case(2.0, wide))] == ["flag"]
    assert claims.find(case(1.4, wide)) == []
    assert claims.find(case(1.6, (1.4, 1.5))) == [], "the rerun itself gives nearly that"


def test_the_limit_is_two_deviations_of_one_more_draw() -> None:
    """Of the reruns' own spread, or of what a grid makes of none."""
    assert seeds.limit((0.3, 0.5)) == pytest.approx(0.4 + 2 * 0.2 / 2**0.5 * 1.5**0.5)
    assert seeds.limit((0.4, 0.4)) == pytest.approx(0.4 + 2 * 0.01 * 1.5**0.5)
