"""Contrast-consistent search: finds the truth without labels; the traps of the published code."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aar.methods import ccs
from aar.methods.fakes import said, task_of
from aar.methods.parts.contrast import search, signed
from aar.types import Task


def clustered(weak: float = 0.6, n: int = 400, d: int = 30, seed: int = 0) -> tuple[Task, np.ndarray]:
    """Two sides that differ along a hidden direction; a teacher that is right this often."""
    rng = np.random.default_rng(seed)
    direction = np.linalg.qr(rng.normal(size=(d, d)))[0][0]
    y = rng.integers(0, 2, 2 * n)
    x = rng.normal(size=(2 * n, d)) + 8 * (2 * y - 1)[:, None] * direction
    return task_of(x[:n], said(rng, y[:n].astype(float), weak), x[n:], seed=seed), y[n:]


def test_a_poor_teacher_is_enough_for_the_sign() -> None:
    """C5c: weak labels of 60 % for the sign alone, accuracy 1."""
    task, truth = clustered()
    p = ccs.run(task).aligned(task.test.ids)
    assert ((p > 0.5) == truth).mean() > 0.99


def test_the_sign_comes_from_the_teacher_not_from_the_truth() -> None:
    """The published max(acc, 1 - acc) would be right either way; with an inverted teacher this is wrong throughout."""
    task, truth = clustered()
    inverted = replace(task, train=task.train.with_weak(1 - task.train.weak))
    assert ((ccs.run(inverted).aligned(task.test.ids) > 0.5) == truth).mean() < 0.01
    assert signed(np.array([0.9, 0.1, 0.9]), np.array([0.95, 0.4, 0.45]), sure=0.6)  # the surest row decides


def test_more_restarts_never_raise_the_loss() -> None:
    """The lowest loss is kept; one start is the first of many."""
    task, _ = clustered()
    one, many = (search(task.student, task.train, 0, restarts=r, steps=60).loss for r in (1, 8))
    assert many <= one + 0.02


def test_each_side_has_its_own_mean() -> None:
    """What tells the sides apart in general cannot be the answer: a shift of every second side changes nothing."""
    task, truth = clustered()
    before = search(task.student, task.train, 0)
    for text, value in list(task.student.store.known.items()):  # type: ignore[attr-defined]
        task.student.store.known[text] = value + (20.0 if ".second>" in text else 0.0)  # type: ignore[attr-defined]
    after = search(task.student, task.train, 0)
    np.testing.assert_allclose(before.probability(task.student, task.test), before.probability(task.student, task.test))
    p = after.probability(task.student, task.test)
    assert max(((p > 0.5) == truth).mean(), ((p > 0.5) != truth).mean()) > 0.99
    np.testing.assert_allclose(after.loss, before.loss, atol=1e-3)


def test_a_rows_answer_does_not_depend_on_the_rows_beside_it() -> None:
    """Test rows are normalised by the training rows' means."""
    task, _ = clustered()
    probe = search(task.student, task.train, 0, steps=30)
    whole = probe.probability(task.student, task.test)
    np.testing.assert_allclose(probe.probability(task.student, task.test.take([3, 5])), whole[[3, 5]], atol=1e-6)


def test_one_strange_text_does_not_become_the_answer() -> None:
    """A row of repeated digits has a feature a thousand times the others'. Were it not cut off, its side's mean would move, and all
    other rows would be told apart by their position."""
    task, truth = clustered()
    known = task.student.store.known  # type: ignore[attr-defined]
    first = next(text for text in known if ".second>" in text)
    known[first] = known[first] + np.eye(30, dtype=np.float32)[3] * 20_000
    p = ccs.run(task).aligned(task.test.ids)
    assert ((p > 0.5) == truth).mean() > 0.99
