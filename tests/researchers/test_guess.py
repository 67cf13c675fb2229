"""The guess: a prior that answers correct, and that no claim can break."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aar.researchers import space
from aar.researchers.guess import CLAIMED, SIGNALS, VERDICT, Guess, Observation, observed

RNG = np.random.default_rng(0)
RECIPES = [space.draw(RNG) for _ in range(60)]
FLAT = dict.fromkeys(SIGNALS, 0.5)


def test_before_any_answer_steadiness_counts() -> None:
    """More agreement of seeds and with other methods: a higher guess; recipes alone say nothing."""
    trials = [FLAT | {"seeds": s, "consensus": s} for s in (0.5, 0.7, 0.9)]
    guess = Guess(trials)
    low, middle, high = (guess(RECIPES[0], t) for t in trials)
    assert low < middle < high
    assert guess(RECIPES[0]) == guess(RECIPES[1])


def test_answers_teach_what_counts() -> None:
    """In a world where depth is all, thirty answers order unseen recipes by depth, against a misleading signal."""
    depth = [space.NUMBERS["layer"].place(r["layer"]) for r in RECIPES]
    signals = [FLAT | {"consensus": 0.5 - d / 4} for d in depth]
    seen = [Observation(r, s, 0.4 + 0.3 * d, noise=VERDICT) for r, s, d in zip(RECIPES, signals, depth, strict=True)][
        :30
    ]
    guess = Guess(signals, seen)
    told = [guess(r, s) for r, s in zip(RECIPES[30:], signals[30:], strict=True)]
    assert np.corrcoef(told, depth[30:])[0, 1] > 0.9


def test_silence_lowers_a_guess_to_its_bar() -> None:
    """ "Not above .1" tells something only of what was expected to be above."""
    guess = Guess([FLAT, FLAT])
    assert guess(RECIPES[0]) == pytest.approx(0.3)
    assert Guess([FLAT, FLAT], [Observation(RECIPES[0], FLAT, None, 0.1)])(RECIPES[0]) < 0.2
    assert Guess([FLAT, FLAT], [Observation(RECIPES[0], FLAT, None, 0.8)])(RECIPES[0]) == pytest.approx(0.3)


def test_samples_scatter_where_little_is_known() -> None:
    """Draws differ before answers and agree after many; the same seed draws the same."""
    before, after = Guess([FLAT]), Guess([FLAT], [Observation(r, FLAT, 0.5, noise=0.02) for r in RECIPES])
    spread = [np.std([g.sampled(np.random.default_rng(s))(RECIPES[0]) for s in range(40)]) for g in (before, after)]
    assert spread[0] > 5 * spread[1]
    assert before.sampled(np.random.default_rng(1))(RECIPES[0]) == before.sampled(np.random.default_rng(1))(RECIPES[0])


def test_claims_are_cut_to_what_is_possible() -> None:
    """A boast counts as the most that a PGR can be, with a claim's noise."""
    seen = observed({"recipe": RECIPES[0], "signals": FLAT | {"seeds": 1e300}, "pgr": 99, "bar": -5})
    assert seen
    assert (seen.pgr, seen.bar, seen.signals["seeds"], seen.noise) == (1.2, 0, 1, CLAIMED)


@pytest.mark.parametrize(
    "change",
    [
        {"pgr": "0.9"},
        {"pgr": float("inf")},
        {"pgr": True},
        {"signals": None},
        {"signals": {}},
        {"bar": None},
        {"recipe": {"layer": 1}},
        {"recipe": None},
    ],
)
def test_claims_of_another_form_are_not_heard(change: dict[str, Any]) -> None:
    """Words for numbers, missing signals, recipes out of range: not an observation, no error."""
    good: dict[str, Any] = {"recipe": RECIPES[0], "signals": FLAT, "pgr": 0.4}
    assert observed(good)
    assert observed(good | change) is None
    assert observed({k: v for k, v in good.items() if k != "pgr"}) is None
