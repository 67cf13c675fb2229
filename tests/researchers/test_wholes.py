"""Whole methods as configurations: what is drawn, changed or read runs; nothing else is let in; no method is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aar.errors import MethodError
from aar.methods import library
from aar.methods.fakes import toy_task
from aar.researchers import configs, wholes
from aar.researchers.guess import SIGNALS, VERDICT, Guess, Observation
from aar.types import Predictions

OFFERS = frozenset({"weak", "features", "fit", "pairs"})
FLAT = dict.fromkeys(SIGNALS, 0.5)


def test_defaults_and_grids_are_inside() -> None:
    """What a card declares can be drawn or reached, for every method."""
    for name, of in wholes.ranges().items():
        card = library.card(name)
        for setting in ({}, *card.grid):
            wholes.checked({"method": name, "params": {**card.defaults, **setting}})
        assert set(of) == set(card.defaults)
    assert len(wholes.known(OFFERS)) >= 20


def test_what_a_task_does_not_offer_is_not_drawn() -> None:
    """Nor what takes minutes, nor the method that is a recipe."""
    rng = np.random.default_rng(0)
    names = {wholes.draw(rng, OFFERS - {"pairs"})["method"] for _ in range(300)}
    assert not [n for n in names if set(library.card(n).inputs) - OFFERS or "pairs" in library.card(n).inputs]
    assert not [n for n in names if library.card(n).cost != "seconds" or "compose" in n]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.text())
def test_offspring_reads_back(seed: int, why: str) -> None:
    """Drawn, changed and crossed configurations of both kinds pass the check for strangers', and their texts give them again."""
    rng = np.random.default_rng(seed)
    one, other = configs.draw(rng, OFFERS), wholes.draw(rng, OFFERS)
    for _ in range(4):
        one, other = configs.mutate(one, rng, OFFERS), configs.mutate(configs.cross(one, other, rng), rng, OFFERS)
    for config in (one, other):
        assert configs.checked(json.loads(configs.canonical(config))) == config
        text = configs.source(config, why)
        compile(text, "method.py", "exec")
        assert configs.read(text) == config
        assert configs.in_words(config)


def test_picks_run() -> None:
    """A few with drawn parameters, as the sandbox would run them: our own text, executed."""
    task, truth = toy_task("pair", n=64)
    rng, ran = np.random.default_rng(4), set[str]()
    for _ in range(12):
        pick = wholes.draw(rng, OFFERS)
        scope: dict[str, Any] = {}
        exec(compile(wholes.source(pick, "x"), "method.py", "exec"), scope)
        told: Predictions = scope["run"](replace(task, params={}))
        assert np.isfinite(told.aligned(task.test.ids)).all()
        assert len(truth) == len(told.p)
        ran.add(pick["method"])
    assert len(ran) > 6


@pytest.mark.soak
def test_every_method_runs_at_the_ends_of_its_ranges() -> None:
    """Each with all its parameters drawn, several times."""
    task, _ = toy_task("pair", n=64)
    rng = np.random.default_rng(0)
    for name in wholes.known(OFFERS):
        for _ in range(6):
            params = {k: r.draw(rng) for k, r in wholes.ranges()[name].items()}
            told = library.get(name).run(replace(task, params=params))
            assert np.isfinite(told.aligned(task.test.ids)).all(), (name, params)


GOOD: Mapping[str, Any] = wholes.draw(np.random.default_rng(1), OFFERS)


@pytest.mark.parametrize(
    "raw", [{}, {"method": "os", "params": {}}, {"method": ["x"], "params": {}}, {"method": None, "params": {}}, {**GOOD, "extra": 1},
            {"method": GOOD["method"], "params": None}, {"method": GOOD["method"], "params": {"evil": 1}}],
)  # fmt: skip
def test_strangers_picks_are_checked(raw: Any) -> None:
    """Unknown methods, missing or foreign parameters: refused."""
    assert wholes.checked(dict(GOOD)) == GOOD
    with pytest.raises(MethodError):
        wholes.checked(raw)


@pytest.mark.parametrize("value", [1e9, -1.0, float("nan"), True, "x", [1], None])
def test_strangers_numbers_are_checked(value: Any) -> None:
    """A number out of its range, or no number: refused."""
    with pytest.raises(MethodError):
        wholes.checked({"method": "gce", "params": {"q": value}})


def test_the_guess_learns_a_family() -> None:
    """Answers about whole methods move the guess of their kin, and leave recipes nearly as they were."""
    rng = np.random.default_rng(0)
    picks = [wholes.draw(rng, OFFERS) for _ in range(60)]
    of = wholes.family(picks[0])
    kin, others = [p for p in picks if wholes.family(p) == of], [p for p in picks if wholes.family(p) != of]
    seen = [Observation(p, FLAT, 0.7, noise=VERDICT) for p in kin] + [
        Observation(p, FLAT, 0.1, noise=VERDICT) for p in others
    ]
    guess = Guess([FLAT], seen)
    assert guess(kin[0]) > guess(others[0]) + 0.1
