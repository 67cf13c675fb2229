"""Synthetic problems, each built so that one assumption of a family of methods holds: (task, truth of its test rows).

A method must beat its own ablation in its world; what it does elsewhere is for real problems to say. Everything is seeded.
d features, n training rows, 400 test rows.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aar.methods.fakes import FakeStudent, WorldStore, labels_at, said, task_of
from aar.methods.speakers import InContext, as_speaker
from aar.types import Kind, Task

World = tuple[Task, np.ndarray]
TEST = 400


def axis(d: int, i: int) -> np.ndarray:
    return np.eye(d)[i]


def sure_of(side: np.ndarray, rng: np.random.Generator, low: float = 0.55, high: float = 0.95) -> np.ndarray:
    """Weak labels that say `side` [n] 0/1, as sure as they like."""
    sure = rng.uniform(low, high, len(side))
    return np.where(side > 0.5, sure, 1 - sure).astype(np.float32)


def flips(
    seed: int = 0, n: int = 200, d: int = 60, accuracy: float = 0.7, kind: Kind = "pair", ridge: float | None = None
) -> World:
    """The teacher errs at random, rows are few for their width: whoever fits every label learns the errors."""
    rng = np.random.default_rng(seed)
    direction, x, x_test = rng.normal(size=d), rng.normal(size=(n, d)), rng.normal(size=(TEST, d))
    y, y_test = labels_at(x, direction), labels_at(x_test, direction)
    return task_of(x, said(rng, y, accuracy), x_test, kind=kind, seed=seed, ridge=ridge), y_test


def salient(
    seed: int = 0,
    n: int = 300,
    d: int = 20,
    size: float = 6.0,
    angle: float = 0.35,
    across: float = 2.0,
    kind: Kind = "pair",
) -> World:
    """The truth is what rows differ most in, two clusters along one direction; the teacher's errors are learnable: it cuts
    along a tilted direction (angle in units of pi) that leans on another one, spread `across`. A student that only imitates
    copies the tilt."""
    rng = np.random.default_rng(seed)
    turn, mixed = rng.permutation(d), rng.normal(size=(d, d))
    rotate = np.linalg.qr(mixed)[0][turn]

    def rows(m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        y, x = rng.integers(0, 2, m), rng.normal(size=(m, d))
        x[:, 0] += size * (y - 0.5)
        x[:, 1] *= across
        weak = x[:, 0] * np.cos(angle * np.pi) + x[:, 1] * np.sin(angle * np.pi) > 0
        return x @ rotate, y.astype(np.float32), weak

    x, _, weak = rows(n)
    x_test, y_test, _ = rows(TEST)
    return task_of(x, sure_of(weak, rng), x_test, kind=kind, seed=seed), y_test


def redundant(seed: int = 0, n: int = 150, d: int = 60, each: float = 0.4, accuracy: float = 0.65) -> World:
    """Every feature tells a little of the truth; the teacher errs at random. What should be learnt is the same in any part
    of the features, which is what perturbing them teaches."""
    rng = np.random.default_rng(seed)

    def rows(m: int) -> tuple[np.ndarray, np.ndarray]:
        y = rng.integers(0, 2, m)
        return rng.normal(size=(m, d)) + each * (2 * y - 1)[:, None], y.astype(np.float32)

    x, y = rows(n)
    x_test, y_test = rows(TEST)
    return task_of(x, said(rng, y, accuracy), x_test, seed=seed, ridge=0.0), y_test


def spectrum(seed: int = 0, n: int = 300, d: int = 60, top: int = 3, accuracy: float = 0.7) -> World:
    """Rows vary along a few directions much more than along the others, and the truth lies in the few; the teacher errs at
    random. Training again on one's own answers drops the small directions, where only its errors are."""
    rng = np.random.default_rng(seed)
    scale = np.r_[np.full(top, 3.0), np.full(d - top, 1.0)]
    rotate, direction = np.linalg.qr(rng.normal(size=(d, d)))[0], np.r_[rng.normal(size=top), np.zeros(d - top)]
    z, z_test = (rng.normal(size=(m, d)) * scale for m in (n, TEST))
    y, y_test = labels_at(z, direction), labels_at(z_test, direction)
    return task_of(z @ rotate, said(rng, y, accuracy), z_test @ rotate, seed=seed), y_test


def stretched(seed: int = 0, n: int = 400, d: int = 20, kind: Kind = "pair") -> World:
    """Classes differ in one direction and vary far more in another that leans on it: means alone point the wrong way."""
    rng = np.random.default_rng(seed)

    def rows(m: int) -> tuple[np.ndarray, np.ndarray]:
        y, x = rng.integers(0, 2, m), rng.normal(size=(m, d))
        common = 6 * rng.normal(size=m)
        x[:, 0] = 2 * (y - 0.5) * 1.2 + common
        x[:, 1] = common + 0.3 * rng.normal(size=m)
        return x, y.astype(np.float32)

    x, y = rows(n)
    x_test, y_test = rows(TEST)
    return task_of(x, said(rng, y, 0.75), x_test, kind=kind, seed=seed), y_test


def opinions(
    seed: int = 0, n: int = 500, d: int = 20, student: float = 1.0, teacher: str = "sure_is_right", kind: Kind = "pair"
) -> World:
    """The student has an opinion of its own, log-odds N(student (2y - 1), 1), right where the teacher is not. The teacher
    is right with .5 + .45 c at confidence c (`sure_is_right`), or whatever it says (`biased`: errors along a direction that
    a student can learn)."""
    rng = np.random.default_rng(seed)
    direction, x, x_test = rng.normal(size=d), rng.normal(size=(n, d)), rng.normal(size=(TEST, d))
    y, y_test = labels_at(x, direction), labels_at(x_test, direction)
    likes = tuple(student * (2 * t - 1) + rng.normal(size=len(t)) for t in (y, y_test))
    if teacher == "biased":
        other = rng.normal(size=d)
        side = labels_at(x, 0.55 * direction / np.linalg.norm(direction) + other / np.linalg.norm(other))
        weak = sure_of(side, rng)
    else:
        c = rng.uniform(0, 1, n)
        side = np.where(rng.random(n) < 0.5 + 0.45 * c, y, 1 - y)
        weak = (0.5 + np.where(side > 0.5, 1, -1) * c / 2).astype(np.float32)
    return task_of(x, weak, x_test, kind=kind, seed=seed, opinions=likes), y_test  # type: ignore[arg-type]


def coherent(
    seed: int = 0, n: int = 60, d: int = 60, own: float = 0.3, each: float = 0.4, kind: Kind = "pair"
) -> World:
    """Rows fall into two clusters. The student knows little of single rows (log-odds N(own (2y - 1), 1)) but sees from
    solved examples in its prompt which rows are alike. The teacher is a coin."""
    rng = np.random.default_rng(seed)

    def rows(m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        y, x = rng.integers(0, 2, m), rng.normal(size=(m, d))
        x += each * (2 * y - 1)[:, None]
        return x, y.astype(np.float32), own * (2 * y - 1) + rng.normal(size=m)

    x, y, z = rows(n)
    x_test, y_test, z_test = rows(TEST)
    task = task_of(x, said(rng, y, 0.5), x_test, kind=kind, seed=seed, opinions=(z, z_test))
    return as_speaker(task, InContext, x), y_test


def outliers(seed: int = 0, n: int = 400, d: int = 10, share: float = 0.15, far: float = 5.0) -> World:
    """The teacher is wrong on a few rows that lie far out: a loss that grows without bound follows them."""
    rng = np.random.default_rng(seed)
    direction, x, x_test = rng.normal(size=d), rng.normal(size=(n, d)), rng.normal(size=(TEST, d))
    y, y_test, wrong = labels_at(x, direction), labels_at(x_test, direction), rng.random(n) < share
    x[wrong] *= far
    return task_of(x, sure_of(np.where(wrong, 1 - y, y), rng), x_test, seed=seed), y_test


def teachers(accuracies: tuple[float, ...], seed: int = 0, n: int = 300, d: int = 40, wild: bool = False) -> World:
    """Several teachers that err apart, right with these probabilities. wild: the last one is wrong and very sure of it."""
    rng = np.random.default_rng(seed)
    direction, x, x_test = rng.normal(size=d), rng.normal(size=(n, d)), rng.normal(size=(TEST, d))
    y, y_test = labels_at(x, direction), labels_at(x_test, direction)
    votes = np.stack([said(rng, y, a) for a in accuracies], axis=1)
    if wild:
        votes[:, -1] = np.where(votes[:, -1] > 0.5, 0.9999, 0.0001)
    return task_of(x, votes[:, 0], x_test, seed=seed, votes=votes), y_test


def two_views(seed: int = 0, n: int = 400, d: int = 12) -> World:
    """Either half of the features tells the truth by itself, with noise of its own; the teacher is right where it is sure.
    The weak model reads the first half, the student the second: each can teach the other."""
    rng = np.random.default_rng(seed)

    def rows(m: int) -> tuple[np.ndarray, np.ndarray]:
        y, x = rng.integers(0, 2, m), rng.normal(size=(m, 2 * d))
        x += np.repeat(((2 * y - 1) * 0.55)[:, None], 2 * d, axis=1)
        return x, y.astype(np.float32)

    x, y = rows(n)
    x_test, y_test = rows(TEST)
    sure = rng.random(n) < 0.15
    side = np.where(rng.random(n) < np.where(sure, 0.9, 0.52), y, 1 - y)
    weak = np.where(side > 0.5, 1, -1) * np.where(sure, 0.45, rng.uniform(0.02, 0.3, n)) + 0.5
    task = task_of(x, weak, x_test, seed=seed)
    student, weak_model = _half(task, slice(d, None)), _half(task, slice(0, d))
    return replace(task, student=student, weak_model=weak_model), y_test


def rungs(seed: int = 0, n: int = 400, d: int = 24) -> World:
    """The teacher leans on something that only the student can represent, beside the truth; a model between does not see
    it, so what it makes of the labels is cleaner."""
    rng = np.random.default_rng(seed)
    x, x_test = rng.normal(size=(n, d)), rng.normal(size=(TEST, d))
    direction = np.r_[rng.normal(size=d // 2), np.zeros(d // 2)]
    lean = np.r_[np.zeros(d // 2), rng.normal(size=d // 2)]
    y_test = labels_at(x_test, direction)
    side = labels_at(x, direction / np.linalg.norm(direction) + 1.2 * lean / np.linalg.norm(lean))
    task = task_of(x, sure_of(side, rng), x_test, seed=seed)
    return replace(task, ladder=(_half(task, slice(0, d // 2)),)), y_test


def _half(task: Task, part: slice) -> FakeStudent:
    """A student that sees only these features."""
    store: WorldStore = task.student.store  # type: ignore[attr-defined]
    width = len(range(store.width)[part])
    small = WorldStore(width)
    small.known = {k: v[part] for k, v in store.known.items()}
    return FakeStudent(small, task.kind)
