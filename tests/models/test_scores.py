"""Prompt scores by content: asked once, read by everybody, written by the trusted alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from aar.models import scores
from aar.models.scores import ScoreStore

PROMPTS = [f"prompt {i}" for i in range(5)]
ANSWERS = [[" A", " B"]] * 5


class Model:
    """Scores by length; counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, prompts: Sequence[str], completions: Sequence[Sequence[str]]) -> np.ndarray:
        self.asked += prompts
        return np.array(
            [[-len(p) - ord(c[-1]) for c in row] for p, row in zip(prompts, completions, strict=True)], np.float32
        )


def test_a_score_is_asked_for_once(tmp_path: Path) -> None:
    """By this store and by the next one; what is new is asked, in the order of the question."""
    model = Model()
    first = ScoreStore([tmp_path], "m", into=tmp_path).score(PROMPTS[:3], ANSWERS[:3], model)
    again = ScoreStore([tmp_path], "m").score(PROMPTS[::-1], ANSWERS, model)
    assert model.asked == [*PROMPTS[:3], *PROMPTS[:2:-1]]
    np.testing.assert_array_equal(again[::-1][:3], first)
    assert again.dtype == np.float32


def test_a_reader_writes_nothing(tmp_path: Path) -> None:
    """A sandbox has no `into`: it remembers, but no file appears."""
    model, store = Model(), ScoreStore([tmp_path], "m")
    store.score(PROMPTS, ANSWERS, model)
    store.score(PROMPTS, ANSWERS, model)
    assert model.asked == PROMPTS
    assert not list(tmp_path.rglob("*"))


def test_scores_are_of_one_model_and_one_completion(tmp_path: Path) -> None:
    """Neither another model nor another answer is served from the store."""
    model = Model()
    ScoreStore([tmp_path], "m", into=tmp_path).score(PROMPTS, ANSWERS, model)
    ScoreStore([tmp_path], "other").score(PROMPTS[:1], ANSWERS[:1], model)
    ScoreStore([tmp_path], "m").score(PROMPTS[:1], [[" A", " C"]], model)
    assert len(model.asked) == 7
    assert scores.key_of("a", "bc") != scores.key_of("ab", "c")


def test_what_was_scored_before_a_kill_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk is on disk before the next is begun."""
    monkeypatch.setattr(scores, "CHUNK", 2)
    told: list[tuple[int, int]] = []

    def dies(prompts: Sequence[str], completions: Sequence[Sequence[str]]) -> np.ndarray:
        if PROMPTS[2] in prompts:
            raise KeyboardInterrupt
        return Model()(prompts, completions)

    with pytest.raises(KeyboardInterrupt):
        ScoreStore([tmp_path], "m", tmp_path, lambda done, n, left: told.append((done, n))).score(
            PROMPTS, ANSWERS, dies
        )
    model = Model()
    ScoreStore([tmp_path], "m").score(PROMPTS, ANSWERS, model)
    assert model.asked == PROMPTS[2:]
    assert told == [(2, 5)]


def test_a_damaged_file_is_scored_again(tmp_path: Path) -> None:
    """It is neither a crash nor a score."""
    ScoreStore([tmp_path], "m", into=tmp_path).score(PROMPTS, ANSWERS, Model())
    for file in tmp_path.rglob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:-7])
    model = Model()
    ScoreStore([tmp_path], "m").score(PROMPTS, ANSWERS, model)
    assert model.asked == PROMPTS
