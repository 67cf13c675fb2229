"""Trusted rows: whom they are given to, and that their weak labels come from teachers that had not seen them."""

from __future__ import annotations

import numpy as np
import pytest

from aar.models import frozen
from aar.models.features import ReadingStore
from aar.models.student import HeadStudent
from aar.models.texts import of
from aar.scoring import trusted
from aar.scoring.features import store
from aar.scoring.problem import Problem
from aar.scoring.sealed import Sealed
from aar.scoring.trial import run_trial
from aar.settings import LabFolder
from aar.types import Rows

TOY = Problem.parse("toy")


class ByHeart:
    """A teacher that knows the answers to the questions it has learnt, and says 1/2 to all others."""

    reads = None

    def fit(self, rows: Rows, labels: np.ndarray, seed: int, base: object) -> ByHeart:
        self.known = dict(zip(rows.group, labels, strict=True))
        return self

    def predict(self, rows: Rows) -> np.ndarray:
        return np.array([self.known.get(g, 0.5) for g in rows.group])


def test_no_teacher_has_seen_the_trusted_row_that_it_labels(
    tiny_lab: LabFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor another row on its question; the truth is beside them."""
    monkeypatch.setattr(trusted.teachers, "get", lambda name: ByHeart())
    rows = trusted.trusted_rows(tiny_lab, TOY, 0)
    assert (rows.truth == Sealed(tiny_lab).labels("toy", rows.ids)).all()
    assert (rows.weak == 0.5).all()


@pytest.mark.parametrize("method", ["active", "forward_correction"])
def test_a_method_that_asks_is_given_trusted_rows(method: str, tiny_lab: LabFolder) -> None:
    assert run_trial(tiny_lab, TOY, method, [0]).mean > 0.5


def test_who_does_not_ask_gets_none(tiny_lab: LabFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """No gold label is opened for it."""
    monkeypatch.setattr(trusted, "trusted_rows", lambda *_: pytest.fail("trusted rows were opened"))
    run_trial(tiny_lab, TOY, "vanilla", [0])


def test_a_weak_model_reads_what_a_method_writes(tiny_lab: LabFolder) -> None:
    """New texts are read by the model, known ones come from the disk; nothing is written."""
    lm = frozen.load("minilm")
    kept = store(tiny_lab, lm.id, sealed=True)
    texts = ["never seen", *of(Sealed(tiny_lab).rows("toy", "test").texts[0]), "something else"]
    read = ReadingStore(kept, lm).get(texts, 6)
    np.testing.assert_allclose(read[[0, -1]], lm.hidden(["never seen", "something else"], [6])[:, 0], atol=1e-5)
    np.testing.assert_array_equal(read[1:-1], kept.get(texts[1:-1], 6))
    assert kept.missing(texts, 6) == ["never seen", "something else"]


def test_debate_runs_with_a_judge_that_reads(tiny_lab: LabFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a student that always says the same; a real one takes minutes."""
    monkeypatch.setattr(HeadStudent, "generate", lambda self, prompts, n=1, *_: [["because"] * n for _ in prompts])
    assert run_trial(tiny_lab, TOY, "debate", [0], params={"rows": 12, "judges": 1}).mean > 0.5
