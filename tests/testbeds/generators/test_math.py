"""The maths generator: true labels, disjoint cells, one source of randomness, and no surface that gives the label away."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from aar.errors import LabError
from aar.testbeds.generators.item import Item, generators
from aar.testbeds.generators.math import HELD_OUT_MIX, MIX, pose, solve, traits
from aar.testbeds.generators.math_bank.checker import faults, true_statement
from aar.testbeds.generators.math_bank.errors import ERRORS
from aar.testbeds.generators.math_bank.held_out import HELD_OUT
from aar.testbeds.generators.math_bank.remarks import REMARKS
from aar.testbeds.generators.math_bank.solution import Template, compute
from aar.testbeds.generators.math_bank.templates import TEMPLATES
from aar.testbeds.generators.math_bank.worlds import HELD_OUT_WORLDS, WORLDS


@pytest.fixture(scope="module")
def items() -> list[Item]:
    return generators.get("math")(np.random.default_rng(3), 1200, 150)


def test_counts_and_uniqueness(items: list[Item]) -> None:
    """As many items as asked for, each about its own question, right and wrong always different."""
    assert Counter(item.ood for item in items) == {False: 1200, True: 150}
    assert len({item.prompt for item in items}) == len({item.group for item in items}) == len(items)
    assert all(item.right != item.wrong for item in items)


def test_ood_shares_nothing_with_the_rest(items: list[Item]) -> None:
    """Templates, kinds of error and names of the out-of-distribution items are never seen in the others."""
    for field in ("cell", "subset"):
        seen = {getattr(item, field) for item in items if not item.ood}
        assert seen.isdisjoint(getattr(item, field) for item in items if item.ood)
    names = {name for world in HELD_OUT_WORLDS for name in world.names}
    assert not any(name in item.prompt for item in items if not item.ood for name in names)
    assert len({item.cell for item in items if not item.ood}) >= 25


def test_same_seed_same_items_other_seed_other_items() -> None:
    """The generator's rng is the only randomness, and it decides nearly every question."""
    make = generators.get("math")
    first, again, other = (make(np.random.default_rng(seed), 120, 20) for seed in (5, 5, 6))
    assert first == again
    assert len({item.prompt for item in first} & {item.prompt for item in other}) < 6


@pytest.mark.parametrize("template", [*TEMPLATES, *HELD_OUT], ids=lambda t: t.family)
def test_template_steps_agree_with_its_formula(template: Template) -> None:
    """The steps and the closed formula, written separately, give the same answer, and the text leaves no brace."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        question = pose(template, WORLDS[0], rng)
        text = question.right.render()
        assert text is not None
        assert text.endswith(true_statement(question))
        assert not re.search(r"[{}\[\]]", question.text + text)
        assert len(question.right.steps) == text.count("=") - template.final.count("x =")


def test_pose_refuses_a_template_whose_formula_disagrees() -> None:
    """A template with a false closed formula is the lab's fault and is said so."""
    broken = replace(TEMPLATES[0], truth=lambda a, b, c: a * b - c)
    with pytest.raises(LabError, match="shopping"):
        pose(broken, WORLDS[0], np.random.default_rng(0))


@pytest.mark.parametrize("kind", sorted({*MIX, *HELD_OUT_MIX}))
def test_every_kind_of_error_breaks_solutions(kind: str) -> None:
    """Each kind applies to several templates, and what it yields is found false by the checker."""
    rng, broken = np.random.default_rng(1), set()
    for template in TEMPLATES:
        for _ in range(3):
            question = pose(template, WORLDS[1], rng)
            right, wrongs = solve(question, kind, rng)
            assert faults(question, right) == []
            assert all("answer" in faults(question, wrong) for wrong in wrongs)
            broken |= {template.family} if wrongs else set()
    assert len(broken) >= 8


def test_every_kind_is_in_a_mix_and_known() -> None:
    """No kind is orphaned: an error or a remark is tried in training or held out, never both."""
    assert set(MIX) | set(HELD_OUT_MIX) == set(ERRORS) | set(REMARKS)
    assert not set(MIX) & set(HELD_OUT_MIX)


def test_checker_finds_each_fault() -> None:
    """A false sum, a number from nowhere and a false answer are told apart."""
    question = replace(
        pose(TEMPLATES[0], WORLDS[0], np.random.default_rng(0)),
        values={"a": 3, "b": 5, "c": 20},
        cast={"A": "Mia", "x": "pens"},
    )
    end = "Mia pays 35 dollars."
    assert faults(question, f"The pens cost 3*5=15. With the map: 15+20=35. {end}") == []
    assert faults(question, f"The pens cost 3*5=16. With the map: 15+20=35. {end}") == ["arithmetic", "unknown number"]
    assert faults(question, f"The pens cost 3*7=21. With the map: 21+20=41. {end}") == ["unknown number"]
    assert faults(question, "The pens cost 3*5=15. Mia pays 135 dollars.") == ["answer"]
    assert faults(question, "The pens cost 3*5=15. Mia pays 35 pens.") == ["answer"]


def test_compute_keeps_to_whole_positive_numbers() -> None:
    """Division must come out even; // drops the remainder; nothing below one passes."""
    assert [compute(12, "/", 4), compute(13, "/", 4), compute(13, "//", 4)] == [3, None, 3]
    assert [compute(3, "-", 3), compute(3, "/", 0), compute(200, "*", 200)] == [None, None, None]


def _stump(signs: np.ndarray) -> float:
    """Best accuracy of "the bigger one is right" or its opposite, a coin deciding ties. signs: [n] in -1, 0, 1."""
    return 0.5 + abs(float(np.mean(signs))) / 2


def test_no_count_gives_the_label_away(items: list[Item]) -> None:
    """Lengths, digits, operators and sizes of numbers each tell right from wrong in at most 56 percent of pairs."""
    signs = np.array([np.sign(traits(item.wrong) - traits(item.right)) for item in items])
    assert max(_stump(column) for column in signs.T) < 0.56


def test_no_character_or_word_gives_the_label_away(items: list[Item]) -> None:
    """No single character and no single word, by its count, decides more than 60 percent of pairs."""
    for split in (str.split, list):
        lean: Counter[str] = Counter()
        for item in items:
            right, wrong = Counter(split(item.right)), Counter(split(item.wrong))
            for token in right.keys() | wrong.keys():
                lean[token] += (wrong[token] > right[token]) - (wrong[token] < right[token])
        token, most = max(lean.items(), key=lambda pair: abs(pair[1]))
        assert 0.5 + abs(most) / len(items) / 2 < 0.6, token
