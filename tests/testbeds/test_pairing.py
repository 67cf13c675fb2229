"""Claims into comparisons: one question, right against wrong, each choice once."""

from __future__ import annotations

from collections import Counter

import pytest

from aar.errors import InputError
from aar.testbeds.pairing import as_pairs
from aar.testbeds.records import Checked
from aar.types import Claim, Pair

SECRET = b"s" * 32


def claim(question: str, choice: str, label: int | None, split: str = "test", subset: str = "s") -> Checked:
    return Checked(f"{split}:1", split, "binary", Claim(question, choice), label, subset, "", f"group {question}")


ROWS = [
    claim(f"q{q}", f"q{q} {'right' if c < right else 'wrong'} {c}", int(c < right))
    for q, right in enumerate([2, 1, 3, 4, 0, 2])
    for c in range(4)
]


def test_right_meets_wrong_of_the_same_question_once() -> None:
    """Labels point at the right choice; no choice is used twice; what is left over is counted."""
    pairs, notes = as_pairs(ROWS, SECRET)
    used = Counter(text for row in pairs for text in row.text[1:])
    assert set(used.values()) == {1}
    assert Counter(row.text.question for row in pairs) == {"q0": 2, "q1": 1, "q2": 1, "q5": 2}
    for row in pairs:
        better, worse = (row.text[2], row.text[1]) if row.label else (row.text[1], row.text[2])
        assert better.startswith(f"{row.text.question} right")
        assert worse.startswith(f"{row.text.question} wrong")
        assert isinstance(row.text, Pair)
        assert row.group == f"group {row.text.question}"
    assert sum(row.label for row in pairs) == 3
    assert notes == ["6 pairs made; 12 of 24 rows had no partner and were left out"]


def test_pairs_do_not_depend_on_row_order_but_on_the_secret() -> None:
    """Sides are not the file's order: they are keyed."""
    many = [claim(f"q{q}", f"{q} {c}", c % 2) for q in range(40) for c in range(4)]
    sides = [row.label for row in as_pairs(many, SECRET)[0]]
    assert sides == [row.label for row in as_pairs(many, SECRET)[0]]
    assert sides != [row.label for row in as_pairs(many, b"o" * 32)[0]]


def test_same_text_judged_both_ways_is_no_pair() -> None:
    """Two identical texts cannot be compared."""
    rows = [claim("q", "same", 1), claim("q", "same", 0), claim("p", "a", 1), claim("p", "b", 0)]
    assert [row.text.question for row in as_pairs(rows, SECRET)[0]] == ["p"]


def test_subsets_of_both_sides_are_named() -> None:
    """A comparison across two kinds belongs to neither alone."""
    rows = [claim("q", "a", 1, subset="x"), claim("q", "b", 0, subset="y")]
    assert as_pairs(rows, SECRET)[0][0].subset == "x / y"


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([Checked("t:1", "test", "pair", Pair("p", "a", "b"), 1, "", "", None)], "already_pairs"),
        ([claim("q", "a", 1), claim("q", "b", None, "unlabeled")], "missing_label"),
        ([claim("q", "a", 1), claim("p", "b", 0)], "no_pairs"),
    ],
)
def test_rows_that_give_no_pairs_are_refused(rows: list[Checked], code: str) -> None:
    """Each reason has its own code and hint."""
    with pytest.raises(InputError) as caught:
        as_pairs(rows, SECRET)
    assert caught.value.code == code
    assert caught.value.hint
