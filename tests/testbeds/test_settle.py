"""No question in two splits, private rows by whole questions, and what the owner is told."""

from __future__ import annotations

from collections import Counter

import pytest

from aar.errors import InputError
from aar.testbeds.records import Checked
from aar.testbeds.settle import assess, settle
from aar.types import Claim

SECRET = b"s" * 32


def row(split: str, question: str, label: int | None = 0, group: str | None = None) -> Checked:
    return Checked(f"{split}:{question}", split, "binary", Claim(question, "c"), label, "", "", group)


def many(split: str, questions: int, choices: int = 2) -> list[Checked]:
    return [row(split, f"{split} {q}", c % 2) for q in range(questions) for c in range(choices)]


BASE = many("labeled", 4) + many("unlabeled", 12) + many("test", 50)


def homes(rows: list[Checked]) -> dict[str, str]:
    return {r.text.question: r.split for r in rows}


def test_forty_percent_become_private_by_question() -> None:
    """The share is 40 %, no question is on both sides, and the note counts the rows."""
    rows, notes = settle(BASE, SECRET)
    counts = Counter(r.split for r in rows)
    assert (counts["test"], counts["private"]) == (60, 40)
    sides = {r.text.question: {s.split for s in rows if s.text == r.text} for r in rows}
    assert all(len(splits) == 1 for splits in sides.values())
    assert notes == ["no private file: 40 of 100 test rows (40%) became private, by question"]


def test_private_rows_depend_on_the_secret_and_not_on_row_order() -> None:
    """The same rows give the same private ones in any order; another secret gives others."""
    drawn = homes(settle(BASE, SECRET)[0])
    assert homes(settle(BASE[::-1], SECRET)[0]) == drawn
    assert homes(settle(BASE, b"o" * 32)[0]) != drawn


def test_given_private_rows_are_kept() -> None:
    """With a private file no test row is moved."""
    rows, notes = settle(BASE + many("private", 3), SECRET)
    assert Counter(r.split for r in rows)["test"] == 100
    assert notes == []


@pytest.mark.parametrize(
    ("splits", "winner"),
    [
        (("labeled", "test"), "test"),
        (("test", "private"), "test"),
        (("private", "ood"), "private"),
        (("ood", "unlabeled"), "ood"),
        (("unlabeled", "labeled"), "labeled"),
    ],
)
def test_question_in_two_files_moves_whole(splits: tuple[str, str], winner: str) -> None:
    """Case and spaces do not make another question; the note says how many rows moved, test wins."""
    shared = [row(splits[0], "Same  question?", 1), row(splits[1], "same question?", 0)]
    rows, notes = settle(BASE + many("private", 3) + many("ood", 3) + shared, SECRET)
    assert {r.split for r in rows if r.text.question.casefold().startswith("same")} == {winner}
    assert len({r.group for r in rows if r.text.question.casefold().startswith("same")}) == 1
    assert any(note.startswith("1 rows moved") and f"to {winner}" in note for note in notes)


def test_unlabeled_row_without_label_cannot_follow_its_question() -> None:
    """Its question is tested, it has no gold label: it is left out and counted."""
    rows = many("labeled", 4) + [row("unlabeled", f"u{i}", None) for i in range(5)] + many("test", 50)
    rows, notes = settle([*rows, row("unlabeled", "test 0", None)], SECRET)
    assert Counter(r.split for r in rows)["unlabeled"] == 5
    assert any(note.startswith("1 unlabeled rows left out") for note in notes)
    assert any("no ceiling" in note for note in assess(rows))


def test_explicit_group_that_straddles_is_refused() -> None:
    """The author named the group, so moving it silently would be wrong."""
    with pytest.raises(InputError) as caught:
        settle([*BASE, row("labeled", "x", 0, "g1"), row("test", "y", 1, "g1")], SECRET)
    assert caught.value.code == "group_straddles"
    assert "test:y" in caught.value.message
    assert "labeled:x" in caught.value.message


def test_explicit_groups_tie_different_questions() -> None:
    """Questions of one explicit group become private together and share one gold group."""
    tied = [row("test", f"tied {i}", i % 2, "g1") for i in range(10)]
    rows, _ = settle(BASE + tied, SECRET)
    assert len({(r.split, r.group) for r in rows if r.text.question.startswith("tied")}) == 1


def test_a_question_links_two_groups() -> None:
    """Group g1 in train and g2 in test share a question: all of both move to test."""
    linked = [row("labeled", "a", 0, "g1"), row("labeled", "q", 0, "g1"), row("test", "q", 1, "g2")]
    rows, _ = settle(BASE + many("private", 3) + linked, SECRET)
    assert homes(rows)["a"] == "test"


def test_split_that_loses_every_row_is_refused() -> None:
    """A training file that repeats the test questions leaves nothing to train on."""
    rows = [row("labeled", f"test {i}", i % 2) for i in range(4)] + many("unlabeled", 12) + many("test", 50)
    with pytest.raises(InputError) as caught:
        settle(rows, SECRET)
    assert caught.value.code == "empty_split"


def test_one_question_cannot_be_shared_out() -> None:
    """With a single test question no private rows exist."""
    with pytest.raises(InputError, match="one question"):
        settle(many("labeled", 4) + many("unlabeled", 12) + many("test", 1, 9), SECRET)


def test_one_class_is_refused() -> None:
    """Accuracy means nothing where all labels are equal."""
    with pytest.raises(InputError) as caught:
        assess([*BASE, *(row("ood", f"o{i}", 1) for i in range(3))])
    assert caught.value.code == "one_class"


def test_remarks_on_small_tests_and_few_unlabeled_rows() -> None:
    """The owner hears about a missing lane and a small gap; a large testbed gives no remark."""
    assert any("no interactive lane" in note for note in assess(BASE))
    assert any("unlabeled rows per labeled" in note for note in assess(many("labeled", 8) + many("unlabeled", 12)))
    assert assess(many("labeled", 4) + many("unlabeled", 12) + many("test", 150)) == []
