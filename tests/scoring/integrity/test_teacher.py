"""Teacher dependence: the measured rule of 20 worlds is reproduced, and edges say that they cannot be told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aar.scoring.integrity.case import Answer, Case
from aar.scoring.integrity.teacher import FREE, HYBRID, SUPERVISED, UNSUPERVISED, dependence, find, flipped, permuted
from aar.types import NotScored

EXPECTED = {
    "naive": SUPERVISED, "confident": SUPERVISED, "unsupervised_signed": UNSUPERVISED, "unsupervised": FREE, "shortcut": FREE,
}  # fmt: skip


@pytest.mark.parametrize("method", EXPECTED)
def test_each_kind_of_method_lands_on_its_board_in_20_worlds(method: str, worlds: list[Any], audit: Any) -> None:
    """All 20, and what is a flag elsewhere stays a note here: a board is not a ban."""
    boards = []
    for i, world in enumerate(worlds):
        (found,) = find(audit(world, method, i))
        assert found.level == "note"
        boards.append(found.board)
    assert boards == [EXPECTED[method]] * 20


@pytest.mark.parametrize(
    ("figures", "board"),
    [
        ((0.696, [0.47, 0.50, 0.52, 0.49, 0.50], 0.304, 0.607), SUPERVISED),
        ((0.703, [0.47, 0.49, 0.52, 0.49, 0.50], 0.297, 0.592), SUPERVISED),
        ((0.903, [0.097, 0.903, 0.097, 0.903, 0.18], 0.097, 0.903), UNSUPERVISED),
        ((0.903, [0.903] * 5, 0.903, 0.903), FREE),
        ((0.686, [0.686] * 5, 0.686, 0.686), FREE),
        ((0.8, [0.65] * 5, 0.5, 0.74), HYBRID),
    ],
)
def test_the_published_means_give_the_published_boards(figures: Any, board: str) -> None:
    """The table of measured accuracies, row by row."""
    accuracy, permuted, inverted, flipped = figures
    told = dependence(accuracy, np.array(permuted), inverted, flipped, noise=0.013)
    assert not isinstance(told, NotScored)
    assert told.board == board


def test_permutations_come_in_complementary_pairs() -> None:
    """So that a sign drawn by luck cannot come out the same every time; 40 % means 40 %."""
    weak = np.linspace(0.1, 0.8, 5000)
    first, turned, second = permuted([weak, weak / 2, weak], 3)
    assert np.allclose(first + turned, 1)
    assert not np.allclose(first, second)
    assert np.allclose(np.sort(second), weak)
    assert abs(np.mean(flipped(weak, np.random.default_rng(0)) != weak) - 0.4) < 0.03


def test_near_a_coin_flip_nothing_is_said() -> None:
    """dep divides by accuracy - .5: near it, no board."""
    assert isinstance(dependence(0.52, np.full(5, 0.5), 0.48, 0.51), NotScored)


def test_a_method_that_knows_when_it_is_audited_is_flagged(worlds: list[Any], audit: Any) -> None:
    """It answers coin flips on labels that look odd to it, so inverted labels do not turn it round; or it fails."""
    case = audit(worlds[0], "unsupervised", 0)
    rng = np.random.default_rng(0)
    coin = Answer(rng.random(case.p.shape))
    sly = {"permuted": coin, "flipped": coin, "inverted": Answer(case.p)}
    labels = [f.label for f in find(Case(case.truth, case.p, altered=sly))]
    assert labels == [SUPERVISED, "recognises the audit"]
    broken = sly | {"inverted": Answer(None, "method_raised")}
    assert [f.label for f in find(Case(case.truth, case.p, altered=broken))] == ["fails under audit"]
