"""Weak teachers: each learns something from few labels, sees its own share of them, and never mirrors a pair wrongly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aar.errors import NotFound
from aar.models.student import HeadStudent
from aar.models.toy import ArrayStore
from aar.models.tuned.fakes import tiny_qwen3
from aar.models.tuned.rules import Tuning
from aar.teachers.base import draw, teachers
from aar.teachers.qwen import TunedTeacher
from aar.types import Pair, Rows

GOOD, BAD = "it is kind, true and clear", "it is rude, false and vague"


def pairs(n: int, seed: int) -> tuple[Rows, np.ndarray]:
    """Pairs whose better side is told by three words; labels [n]."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    texts = tuple(Pair(f"question {i}", *((BAD, GOOD) if label else (GOOD, BAD))) for i, label in enumerate(y))
    return Rows("pair", tuple(f"r{i}" for i in range(n)), texts), y


def test_each_seed_sees_its_own_share() -> None:
    """Three quarters of the rows, others for another seed, the same for the same."""
    assert len(draw(100, 0)) == 75
    assert (draw(100, 0) == draw(100, 0)).all()
    assert (draw(100, 0) != draw(100, 1)).any()


def test_the_bag_of_words_learns_and_mirrors() -> None:
    """Right on new questions; a pair turned round gets the opposite answer."""
    rows, y = pairs(40, 0)
    model = teachers.get("tfidf").fit(rows, y, 0, None)
    new, truth = pairs(30, 1)
    p = model.predict(new)
    assert ((p > 0.5) == truth).mean() > 0.95
    np.testing.assert_allclose(model.predict(new.swap()), 1 - p, atol=1e-5)


@pytest.mark.parametrize("name", ["minilm", "smollm-early"])
def test_a_head_teacher_learns_from_features(name: str) -> None:
    """On any frozen model's features: right on the rows it saw."""
    rows, y = pairs(40, 0)
    teacher = teachers.get(name)
    assert teacher.reads is not None
    base = HeadStudent(ArrayStore(width=32), "toy", "pair", teacher.reads[1])
    model = teacher.fit(rows, y, 0, base)
    seen = draw(len(rows), 0)
    assert ((model.predict(rows.take(seen)) > 0.5) == y[seen]).mean() > 0.8


def test_a_finetuned_teacher_learns_and_reads_no_features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A causal model of Qwen's make: another seed is another training, and labels of its rows are fitted."""
    monkeypatch.setenv("AAR_MODELS", str(tmp_path))
    tiny_qwen3(tmp_path / "tiny")
    rows, y = pairs(24, 0)
    rules = Tuning(epochs=25, lr=3e-3, rank=4, alpha=4, batch_size=8)
    teacher, hasty = TunedTeacher("tiny", rules=rules), TunedTeacher("tiny", rules=replace(rules, epochs=1))
    assert teacher.reads is None
    assert ((teacher.fit(rows, y, 0, None).predict(rows) > 0.5) == y).mean() > 0.8
    first, again, other = (hasty.fit(rows, y, seed, None).predict(rows) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_an_absent_model_is_named() -> None:
    with pytest.raises(NotFound, match="Qwen1"):
        teachers.get("qwen1.5-0.5b-chat").fit(*pairs(4, 0), 0, None)
