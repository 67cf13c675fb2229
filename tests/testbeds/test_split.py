"""Splits: exact sizes, no shared question or template, sides that tell nothing."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar.errors import InputError
from aar.testbeds.generators.item import Item
from aar.testbeds.split import Sizes, TooFewItems, balanced_sides, connected, split_items, take_groups, without_repeats

SMALL = Sizes(labeled=10, unlabeled=30, test=20, private=12, ood=6)


def items(n: int, cells: int = 12, per_group: int = 1, ood: bool = False) -> list[Item]:
    return [
        Item(f"p{i}", "right", "wrong", f"g{i // per_group}{ood}", f"c{(i // per_group) % cells}", f"s{i % 3}", ood=ood)
        for i in range(n)
    ]


@pytest.mark.parametrize("per_group", [1, 3])
def test_sizes_are_exact_and_nothing_straddles(per_group: int) -> None:
    """Every split has its size; groups are in one split, cells on one side."""
    for seed in range(20):
        drawn = items(200, per_group=per_group) + items(12, ood=True)
        splits = split_items(drawn, SMALL, np.random.default_rng(seed))
        assert {split: len(rows) for split, rows in splits.items()} == SMALL.as_dict()
        homes = Counter(group for rows in splits.values() for group in {item.group for item in rows})
        assert set(homes.values()) == {1}
        train = {item.cell for item in splits["labeled"] + splits["unlabeled"]}
        assert not train & {item.cell for item in splits["test"] + splits["private"]}
        assert all(item.ood == (split == "ood") for split, rows in splits.items() for item in rows)


def test_cells_that_share_a_group_stay_together() -> None:
    """One question drawn from two templates ties both templates to one side."""
    drawn = [Item(f"p{i}", "r", "w", f"g{i % 60}", f"c{i % 20}" if i < 100 else f"d{i % 20}", "s") for i in range(200)]
    splits = split_items(drawn, Sizes(10, 20, 10, 5, 0), np.random.default_rng(0))
    homes = Counter(group for rows in splits.values() for group in {item.group for item in rows})
    assert set(homes.values()) == {1}


def test_every_subset_is_on_both_sides() -> None:
    """Cells of each kind are spread over training and test, even where a kind has two cells only."""
    drawn = [Item(f"p{i}", "r", "w", f"g{i}", f"c{i % 8}", f"kind {i % 8 // 2}") for i in range(160)]
    for seed in range(20):
        splits = split_items(drawn, Sizes(20, 40, 40, 20, 0), np.random.default_rng(seed))
        kinds = [
            {item.subset for item in splits[a] + splits[b]} for a, b in (("labeled", "unlabeled"), ("test", "private"))
        ]
        assert len(kinds[0]) == len(kinds[1]) == 4


def test_too_few_items_say_what_is_short() -> None:
    """The builder learns which split to draw more for."""
    with pytest.raises(TooFewItems, match="ood 2 of 6"):
        split_items(items(200) + items(2, ood=True), SMALL, np.random.default_rng(0))


def test_an_ood_item_of_a_known_question_is_not_ood() -> None:
    """A question that training shows cannot count as unseen."""
    shared = [Item("p", "r", "w", "g0False", "x", "s", ood=True)] * 6
    with pytest.raises(TooFewItems, match="ood 0 of 6"):
        split_items(items(200) + shared, SMALL, np.random.default_rng(0))


@given(st.lists(st.sampled_from("abc"), max_size=60), st.integers(0, 99))
def test_sides_are_balanced_overall_and_in_every_subset(subsets: list[str], seed: int) -> None:
    """As many 0 as 1, at most one apart, in the split and in each subset."""
    sides = balanced_sides(subsets, np.random.default_rng(seed))
    for kind in ["", *set(subsets)]:
        own = [side for side, subset in zip(sides, subsets, strict=True) if kind in ("", subset)]
        assert abs(own.count(0) - own.count(1)) <= 1


def test_sides_do_not_follow_the_row_order() -> None:
    """The side of one row says nothing about the next."""
    sides = np.array(balanced_sides(["s"] * 4000, np.random.default_rng(0)))
    assert abs(np.corrcoef(sides[:-1], sides[1:])[0, 1]) < 0.06


def test_one_answer_against_many_is_dropped_mirrored_ones_stay() -> None:
    """Counting texts must not tell the right one; a text that is as often right as wrong tells nothing."""

    def pair(right: str, wrong: str) -> Item:
        return Item("p", right, wrong, "g", "c", "s")

    same_right = [pair("r", f"w{i}") for i in range(3)]
    same_wrong = [pair(f"x{i}", "y") for i in range(3)]
    mirrored = [pair("a", "b"), pair("b", "a")]
    kept = without_repeats([*same_right, *same_wrong, *mirrored])
    assert kept == [same_right[0], same_wrong[0], *mirrored]


def test_odd_row_is_drawn_at_random() -> None:
    """One row alone has either label: the surplus of odd splits is not always the same side."""
    assert {balanced_sides(["s"], np.random.default_rng(seed))[0] for seed in range(20)} == {0, 1}


def test_take_groups_cuts_the_last_group_only() -> None:
    """The surplus of the cut group is in neither list: it may not go to another split."""
    rows = [(group, i) for group in "abcd" for i in range(3)]
    taken, rest = take_groups(rows, 4, lambda row: row[0], np.random.default_rng(0))
    assert len(taken) == 4
    assert len(rest) == 6
    assert not {group for group, _ in taken} & {group for group, _ in rest}


def test_connected_joins_through_others() -> None:
    """a-b and b-c make a-c one component."""
    numbers = connected(["ab", "cd", "bc", "x"], lambda row: list(row))
    assert numbers[0] == numbers[1] == numbers[2] != numbers[3]


def test_sizes_refuse_empty_splits() -> None:
    """A testbed without private rows has no final lane."""
    with pytest.raises(InputError):
        Sizes(private=0)
