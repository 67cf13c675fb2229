"""Rows of unknown make: every accepted spelling of a label, every refused field."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aar.errors import InputError
from aar.testbeds.jsonl import Record
from aar.testbeds.records import Checked, check_records

PAIR = {"prompt": "p", "first": "f", "second": "s", "label": 1}
CLAIM = {"question": "q", "choice": "c", "label": True}


def check(*rows: dict[str, Any], split: str = "test") -> list[Checked]:
    return check_records({split: [Record(f"{split}.jsonl:{i}", row) for i, row in enumerate(rows, 1)]})


@pytest.mark.parametrize(
    ("base", "zero", "one"),
    [
        (PAIR, 0, 1),
        (PAIR, "A", "B"),
        (PAIR, "a", " b "),
        (PAIR, "first", "second"),
        (PAIR, "First", "SECOND"),
        (PAIR, "0", "1"),
        (PAIR, 0.0, 1.0),
        (CLAIM, False, True),
        (CLAIM, "false", "true"),
        (CLAIM, "False", "True"),
        (CLAIM, 0, 1),
        (CLAIM, "0", "1"),
    ],
)
def test_spellings_of_labels(base: dict[str, Any], zero: object, one: object) -> None:
    """All documented spellings mean the same: 1 = second better, or true."""
    assert [row.label for row in check({**base, "label": zero}, {**base, "label": one})] == [0, 1]


@pytest.mark.parametrize("label", [2, -1, 0.5, "C", "yes", "", [1], {"a": 1}, True, False, float("nan")])
def test_unknown_labels_of_pairs_are_refused(label: object) -> None:
    """`true` does not say which side is better, so a pair refuses it too."""
    with pytest.raises(InputError) as caught:
        check(PAIR, {**PAIR, "label": label})
    assert caught.value.code == "unknown_label"
    assert "test.jsonl:2" in caught.value.message
    assert "second" in caught.value.hint


@pytest.mark.parametrize("label", [2, "A", "first", "maybe", [True], None])
def test_unknown_labels_of_claims_are_refused(label: object) -> None:
    """A side means nothing for one answer."""
    with pytest.raises(InputError, match=r"test\.jsonl:1"):
        check({**CLAIM, "label": label})


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"prompt": "p", "first": "f", "label": 1}, "missing_field"),
        ({"question": "q", "label": 1}, "missing_field"),
        ({"text": "t", "label": 1}, "missing_field"),
        ({}, "missing_field"),
        ({**PAIR, "second": None}, "missing_field"),
        ({**PAIR, **CLAIM}, "missing_field"),
        ({"prompt": "p", "first": "f", "second": "s"}, "missing_field"),
        ({**PAIR, "first": ["f"]}, "wrong_type"),
        ({**PAIR, "prompt": {"role": "user"}}, "wrong_type"),
        ({**PAIR, "prompt": "  "}, "bad_input"),
        ({**CLAIM, "choice": 42}, "wrong_type"),
        ({**CLAIM, "group": ["g"]}, "wrong_type"),
        ({**CLAIM, "id": {}}, "wrong_type"),
        ({**CLAIM, "consistency_id": []}, "wrong_type"),
        ({**CLAIM, "difficulty": float("inf")}, "wrong_type"),
        ({**CLAIM, "choice": "\ud800"}, "not_utf8"),
    ],
)
def test_unusable_rows_are_refused_with_their_line(row: dict[str, Any], code: str) -> None:
    """One error that names the line, the field and what to write."""
    with pytest.raises(InputError) as caught:
        check(row)
    assert caught.value.code == code
    assert caught.value.message.startswith("test.jsonl:1: ")
    assert caught.value.hint


def test_mixed_kinds_are_refused_within_and_across_files() -> None:
    """A testbed is of one kind."""
    with pytest.raises(InputError, match=r"test\.jsonl:2: a binary row among pair rows"):
        check(PAIR, CLAIM)
    with pytest.raises(InputError, match=r"b:1: a binary row among pair rows"):
        check_records({"labeled": [Record("a:1", PAIR)], "test": [Record("b:1", CLAIM)]})


def test_duplicate_ids_are_refused_within_a_file_only() -> None:
    """Files often number their rows from 0 each; within one file an id names one row."""
    with pytest.raises(InputError, match=r"test\.jsonl:2: the id '7' is test\.jsonl:1's"):
        check({**PAIR, "id": 7}, {**PAIR, "id": "7"})
    files = {"labeled": [Record("a:1", {**PAIR, "id": 0})], "test": [Record("b:1", {**PAIR, "id": 0})]}
    assert len(check_records(files)) == 2


def test_unlabeled_rows_have_labels_all_or_none() -> None:
    """Half a ceiling would be a wrong ceiling."""
    bare = {name: value for name, value in PAIR.items() if name != "label"}
    assert [row.label for row in check(bare, bare, split="unlabeled")] == [None, None]
    with pytest.raises(InputError, match=r"unlabeled\.jsonl:2: no label"):
        check(PAIR, bare, split="unlabeled")
    with pytest.raises(InputError, match=r"unlabeled\.jsonl:1: no label"):
        check(bare, PAIR, split="unlabeled")


def test_empty_file_is_refused() -> None:
    """A split without rows is an error, not a split of size 0."""
    with pytest.raises(InputError) as caught:
        check()
    assert caught.value.code == "empty_file"


def test_numbers_and_unknown_fields_are_taken_as_they_are() -> None:
    """ids, groups and difficulties may be numbers; what is not in the contract is ignored."""
    row = check({**CLAIM, "group": 3, "difficulty": 2.5, "subset": "s", "source": ["x"], "question_id": None})[0]
    assert (row.group, row.difficulty, row.subset) == ("3", "2.5", "s")


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.none()))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.sampled_from([PAIR, CLAIM]),
    st.dictionaries(st.sampled_from([*PAIR, *CLAIM, "id", "group", "subset"]), scalars, max_size=2),
)
def test_any_fields_give_a_row_or_an_input_error(base: dict[str, Any], change: dict[str, Any]) -> None:
    """No combination of fields escapes as another exception, and a row that passes has a label."""
    with contextlib.suppress(InputError):
        assert check({**base, **change})[0].label in (0, 1)
