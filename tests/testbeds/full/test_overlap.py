"""Decontamination by long runs of words."""

from __future__ import annotations

from aar.testbeds.full.overlap import overlapping

RUN = " ".join(f"w{i}" for i in range(13))


def test_a_long_shared_run_is_found() -> None:
    """13 words in a row, whatever stands around them and however they are spelled; 12 are not enough."""
    test = f"Before {RUN} after"
    assert overlapping([f"other words, {RUN.upper()}!"], [test])
    assert not overlapping([RUN.rpartition(" ")[0] + " else"], [test])


def test_short_questions_are_compared_whole() -> None:
    assert overlapping(["What is love?"], ["what is   love"])
    assert not overlapping(["What is love, then?"], ["what is love"])


def test_a_fixed_phrase_tells_nothing() -> None:
    """A run that more than ten training questions share with the tests is a phrase of the data set."""
    training = [f"{RUN} task {i}" for i in range(11)]
    assert not overlapping(training, [f"{RUN} another"])
    assert len(overlapping(training[:10], [f"{RUN} another"])) == 10
