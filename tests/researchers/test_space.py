"""Recipes as data: every one that is drawn, changed or written can be run; nothing else is let in."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar.errors import MethodError
from aar.methods.parts import labels, selections
from aar.methods.parts.recipe import Recipe, steps
from aar.models import losses
from aar.researchers import space

seeds = st.integers(0, 2**32 - 1)


def test_every_name_is_a_part() -> None:
    """The tables name label steps, selections and losses that exist, with parameters that they take."""
    for parts, module in ((space.LABELS, labels), (space.SELECTIONS, selections)):
        for name, params in parts.items():
            code = steps(module)[name].__code__
            assert set(params) <= set(code.co_varnames[: code.co_argcount])
    for name, params in space.LOSSES.items():
        losses.make(name, **dict.fromkeys(params, 0.5))


@given(seeds)
def test_offspring_is_always_a_recipe(seed: int) -> None:
    """Drawn, mutated and crossed recipes pass the check for strangers' ones, and fit the Recipe class."""
    rng = np.random.default_rng(seed)
    one, other = space.draw(rng), space.draw(rng)
    for _ in range(5):
        one, other = space.mutate(one, rng), space.cross(one, other, rng)
    for recipe in (one, other):
        assert space.checked(json.loads(space.canonical(recipe))) == recipe
        Recipe(**recipe)


@given(seeds, st.text())
def test_a_method_s_text_reads_back(seed: int, why: str) -> None:
    """Whatever is said in its first line, the text compiles and gives the same recipe."""
    recipe = space.draw(np.random.default_rng(seed))
    text = space.source(recipe, why)
    assert space.read(text) == recipe
    scope: dict[str, Any] = {}
    exec(compile(text, "method.py", "exec"), scope)  # our own text
    assert scope["RECIPE"] == recipe


def test_parents_are_not_changed() -> None:
    """Children share no parameters with their parents."""
    rng = np.random.default_rng(0)
    one, other = space.draw(rng), space.draw(rng)
    before = space.canonical(one), space.canonical(other)
    for _ in range(50):
        space.mutate(space.cross(one, other, rng), rng)
        space.mutate(one, rng)
    assert (space.canonical(one), space.canonical(other)) == before


GOOD = space.draw(np.random.default_rng(3))


@pytest.mark.parametrize(
    "change",
    [
        {"label": "__import__"},
        {"label": ["hard"]},
        {"layer": 99},
        {"layer": 6.5},
        {"rounds": True},
        {"members": 10**9},
        {"lr": float("nan")},
        {"loss_params": {"evil": 1}},
        {"select_params": None},
        {"extra": 1},
        {"epochs": None},
    ],
)
def test_strangers_recipes_are_checked(change: dict[str, Any]) -> None:
    """Unknown names, numbers out of range, missing or extra keys: refused."""
    assert space.checked(GOOD) == GOOD
    with pytest.raises(MethodError):
        space.checked(GOOD | change)


@pytest.mark.parametrize(
    "text", ["", "RECIPE = {\n}", "RECIPE = {\n" + "[" * 5000 + "\n}", "RECIPE = {\n'layer': exit()\n}", "x" * 10**6]
)
def test_other_code_is_not_a_recipe(text: str) -> None:
    """Read as data, never run: anything else is a MethodError."""
    with pytest.raises(MethodError):
        space.read(text)


def test_a_family_pins_its_genes() -> None:
    """What a direction names is chosen among; all else stays open."""
    rng = np.random.default_rng(0)
    drawn = [space.draw(rng, {"loss": ["gce"], "layer": [7, 8]}) for _ in range(30)]
    assert {r["loss"] for r in drawn} == {"gce"}
    assert {r["layer"] for r in drawn} == {7, 8}
    assert len({r["label"] for r in drawn}) > 3
