"""Copies of the same rows share one label set, whatever they are called."""

import pytest

from aar.errors import Conflict, InputError
from aar.scoring.labelsets import MemoryLabelSets, Sighting, overlap, register, row_print, unseen, who_has_seen
from aar.types import Claim, Pair


def pairs(start, stop):
    return [Pair(f"question {i}", f"good {i}", f"bad {i}") for i in range(start, stop)]


def test_a_copy_in_another_order_with_sides_turned_round_is_the_same_set():
    """Neither order, nor sides, nor spacing and case make new rows."""
    store = MemoryLabelSets()
    first = register(store, pairs(0, 50))
    turned = [Pair(f" Question  {i}", f"bad {i}", f"GOOD {i}") for i in reversed(range(50))]
    assert register(store, turned) == first
    assert len(store.rows()[first]) == 50


def test_a_partial_copy_shares_the_budget_and_brings_its_new_rows_along():
    """30 of 50 rows shared: one set of 70; a copy of only the new rows belongs to it too."""
    store = MemoryLabelSets()
    first = register(store, pairs(0, 50))
    assert register(store, pairs(20, 70)) == first
    assert register(store, pairs(50, 70)) == first
    assert len(store.rows()[first]) == 70


def test_a_small_sample_of_a_big_set_is_no_new_set():
    """The overlap is of the smaller one."""
    store = MemoryLabelSets()
    first = register(store, pairs(0, 500))
    assert register(store, pairs(10, 20)) == first


def test_half_or_less_in_common_is_another_set():
    """Exactly half: two sets."""
    store = MemoryLabelSets()
    assert register(store, pairs(0, 50)) != register(store, pairs(25, 75))
    assert len(store.rows()) == 2


def test_rows_that_would_join_two_budgets_are_refused():
    """A bridge over two sets would let one be asked about on the other's budget."""
    store = MemoryLabelSets()
    register(store, pairs(0, 50))
    register(store, pairs(100, 150))
    with pytest.raises(Conflict):
        register(store, pairs(0, 150))
    assert len(store.rows()) == 2


def test_a_claim_is_not_a_pair_and_other_words_are_another_row():
    """What the row says decides."""
    assert row_print(Claim("a", "b")) != row_print(Pair("a", "b", ""))
    assert row_print(Claim("a", "b")) != row_print(Claim("a", "c"))
    assert row_print(Claim("a", "b")) != row_print(Claim("b", "a"))
    assert overlap(frozenset(), frozenset()) == 0
    with pytest.raises(InputError):
        register(MemoryLabelSets(), [])


def test_who_has_seen_what_decides_what_is_left_for_transfer():
    """A set with an answer given is no longer unseen."""
    store = MemoryLabelSets()
    a, b = register(store, pairs(0, 10)), register(store, pairs(10, 20))
    for _ in range(2):
        store.add_sighting(Sighting(a, "study", "ada"))
    assert who_has_seen(store, a) == ["ada"]
    assert unseen(store, [a, b]) == [b]
