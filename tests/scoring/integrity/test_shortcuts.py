"""Shortcuts: methods that follow one feature of the text are found, those that know more are not."""

from __future__ import annotations

import numpy as np
import pytest

from aar.scoring.integrity.case import Case
from aar.scoring.integrity.shortcuts import features, find, stump
from aar.types import Claim, Pair, Text

N = 800


def pairs(rng: np.random.Generator, truth: np.ndarray, valid: float = 0.65) -> list[Text]:
    """The right response is the longer one in `valid` of the rows."""
    rows: list[Text] = []
    for i, y in enumerate(truth):
        longer_is_right = rng.random() < valid
        good, bad = ("word " * 9, "word " * 5) if longer_is_right else ("word " * 5, "word " * 9)
        rows.append(Pair(f"q{i}", bad, good) if y else Pair(f"q{i}", good, bad))
    return rows


def world(seed: int = 0, valid: float = 0.65) -> tuple[np.ndarray, list[Text], np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, N)
    texts = pairs(rng, truth, valid)
    longer = (features(texts)["length in characters"] > 0).astype(float)
    return truth, texts, longer


def test_following_length_is_flagged_with_the_stratum_as_evidence() -> None:
    """Accuracy under a coin flip where length is wrong, far above where it is right."""
    truth, texts, longer = world()
    rng = np.random.default_rng(1)
    p = np.where(rng.random(N) < 0.9, longer, 1 - longer)[None]
    found = find(Case(truth, p, texts=tuple(texts)))
    assert found
    assert found[0].level == "flag"
    assert found[0].evidence["accuracy_where_wrong"] < 0.2


def test_a_method_that_knows_the_truth_is_silent_however_often_length_agrees() -> None:
    """Agreement alone is no sign: the feature may be causal."""
    for seed in range(10):
        for accuracy, valid in ((0.7, 0.65), (0.95, 0.65), (0.97, 0.88)):
            truth, texts, _ = world(seed, valid)
            rng = np.random.default_rng(seed)
            p = np.where(rng.random(N) < accuracy, truth, 1 - truth)[None].astype(float)
            assert find(Case(truth, p, texts=tuple(texts))) == []


def test_a_shortcut_that_the_teacher_taught_is_a_note() -> None:
    """The student repeats its teacher's belief: to be read, not flagged."""
    truth, texts, longer = world()
    floor = (longer == truth).astype(float)[None]
    found = find(Case(truth, longer[None], texts=tuple(texts), floor=floor))
    assert {f.level for f in found} == {"note"}


def test_constant_answers_and_repeated_answers_are_found() -> None:
    """Position, and the commonest answer among claims."""
    truth, texts, _ = world()
    assert find(Case(truth, np.full((1, N), 0.9), texts=tuple(texts)))[0].evidence["feature"] == "position"
    rng = np.random.default_rng(0)
    common = rng.random(N) < 0.5
    claims = tuple(Claim(f"q{i}", "42" if c else str(1000 + i)) for i, c in enumerate(common))
    labels = np.where(rng.random(N) < 0.7, common, ~common).astype(int)
    found = find(Case(labels, common[None].astype(float), kind="binary", texts=claims))
    assert any("occurs" in f.evidence["feature"] for f in found)


@pytest.mark.parametrize("paired", [True, False])
def test_a_stump_takes_the_better_direction(paired: bool) -> None:
    """Less can be the sign as well as more; a tie says nothing."""
    feature = np.array([-2.0, -1.0, 1.0, 2.0])
    assert stump(feature, np.array([1, 1, 0, 0]), paired).tolist() == [1, 1, 0, 0]
