"""Synthetic problems, each built so that one assumption of a family of methods holds: (task, truth of its test rows).

A method must beat its own ablation in its world; what it does elsewhere is for real problems to say. Everything is seeded.
d features, n training rows. ridge=0 lets a student with as many features as rows learn any label by heart, which is what
robust methods must prevent.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aar.methods.fakes import FakeStudent, WorldStore, labels_at, said, task_of
from aar.methods.parts.labels import logit, sigmoid
from aar.methods.speakers import InContext, as_speaker
from aar.types import Kind, Task

World = tuple[Task, np.ndarray]
TEST, MANY = 400, 1000


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


# -- worlds of labels and losses: 1,000 test rows, since what tells two losses apart is small


def two_minds(seed: int, over: float = 1.0) -> World:
    """Right nearly always where the teacher is sure, a coin where it is not. over > 1: it says so too loudly."""
    rng, n = np.random.default_rng(seed), 300
    x = rng.normal(size=(n + MANY, 40))
    y = labels_at(x, rng.normal(size=40))
    knows = rng.random(n) < 0.5
    right = rng.random(n) < np.where(knows, 0.97, 0.5)
    sure = np.where(knows, rng.uniform(0.85, 0.98, n), rng.uniform(0.5, 0.65, n))
    weak = sigmoid(over * logit(np.where(right == (y[:n] > 0.5), sure, 1 - sure)))
    return task_of(x[:n], weak, x[n:], seed=seed), y[n:]


def loud(seed: int) -> World:
    return two_minds(seed, over=8.0)


def slanted(seed: int) -> World:
    """Claims; the teacher leans towards "true", and 300 trusted rows show it."""
    rng, n, d = np.random.default_rng(seed), 500, 10
    x, direction = rng.normal(size=(n + 300 + MANY, d)), rng.normal(size=d)
    y = labels_at(x, direction)
    weak = sigmoid(2 * (2 * y - 1 + 0.7 * rng.normal(size=len(y)) + 0.8))
    trusted = slice(n, n + 300)
    task = task_of(
        x[:n],
        weak[:n],
        x[n + 300 :],
        kind="binary",
        seed=seed,
        ridge=0.01,
        labelled=(x[trusted], weak[trusted], y[trusted]),
    )
    return task, y[n + 300 :]


def other_prior(seed: int) -> World:
    """Claims; the teacher is calibrated for a world with 85 % true ones, and here half are."""
    rng, n = np.random.default_rng(seed), 600
    y = (rng.random(n + MANY) < 0.5).astype(float)
    x = rng.normal(size=(n + MANY, 4))
    x[:, 0] += 1.5 * (2 * y - 1)
    evidence = rng.normal(size=n) + 0.8 * (2 * y[:n] - 1)
    weak = sigmoid(1.6 * evidence + logit(np.array(0.85)))
    return task_of(x[:n], weak, x[n:], kind="binary", seed=seed, ridge=0.0), y[n:]


def by_heart(seed: int, sure: float | None = None, epochs: int = 120) -> World:
    """Two clusters along one direction of 200, 30 % flips, as many features as rows: the truth is learnt first, the flips
    later (the model of early learning, Liu et al. 2020). sure: every label has this confidence."""
    rng, n, d = np.random.default_rng(seed), 200, 200
    y = (rng.random(n + MANY) < 0.5).astype(float)
    middle = rng.normal(size=d)
    x = np.outer(2 * y - 1, 2 * middle / np.linalg.norm(middle)) + rng.normal(size=(n + MANY, d))
    weak = said(rng, y[:n], 0.7)
    weak = weak if sure is None else np.where(weak > 0.5, sure, 1 - sure)
    return task_of(x[:n], weak, x[n:], seed=seed, ridge=0.0, epochs=epochs), y[n:]


def by_heart_long(seed: int) -> World:
    return by_heart(seed, epochs=200)


def by_heart_sure(seed: int) -> World:
    return by_heart(seed, sure=0.999, epochs=240)


def clusters(seed: int, rate: float = 0.3, ridge: float | None = 0.0) -> World:
    """Two clusters that lie well apart, in 150 features; random flips."""
    rng, n, d = np.random.default_rng(seed), 200, 150
    y = (rng.random(n + MANY) < 0.5).astype(float)
    middle = rng.normal(size=d)
    x = np.outer(2 * y - 1, 3 * middle / np.linalg.norm(middle)) + rng.normal(size=(n + MANY, d))
    return task_of(x[:n], said(rng, y[:n], 1 - rate), x[n:], seed=seed, ridge=ridge), y[n:]


def clusters_ridged(seed: int) -> World:
    """More flips, and a student that is held back by its usual ridge."""
    return clusters(seed, rate=0.4, ridge=None)


def patterns(seed: int) -> World:
    """An easy pattern, which the teacher sees, and a hard one, which it does not: rows hold the one (40 %), the other (30 %,
    where the teacher guesses) or both. Tested where only the hard one is there."""
    rng, n, d = np.random.default_rng(seed), 300, 24
    y = (rng.random(n + MANY) < 0.5).astype(float)
    easy, hard = np.zeros(d), np.zeros(d)
    easy[: d // 2], hard[d // 2 :] = rng.normal(size=d // 2), rng.normal(size=d // 2)
    part = rng.choice(3, size=n + MANY, p=[0.4, 0.3, 0.3])
    part[n:] = 1
    signal = np.outer(part != 1, 4 * easy / np.linalg.norm(easy)) + np.outer(part != 0, 4 * hard / np.linalg.norm(hard))
    x = (2 * y - 1)[:, None] * signal + 0.7 * rng.normal(size=(n + MANY, d))
    knows = part[:n] != 1
    right = rng.random(n) < np.where(knows, 0.95, 0.4)
    sure = np.where(knows, rng.uniform(0.85, 0.97, n), rng.uniform(0.5, 0.6, n))
    return task_of(x[:n], np.where(right == (y[:n] > 0.5), sure, 1 - sure), x[n:], seed=seed), y[n:]


def wrong_rule(seed: int) -> World:
    """The teacher follows a tilted rule without a doubt; a few trusted rows say otherwise."""
    rng, n, d = np.random.default_rng(seed), 400, 20
    true, other = np.linalg.qr(rng.normal(size=(d, 2)))[0].T
    x = rng.normal(size=(n + 80 + MANY, d))
    weak = np.where(labels_at(x, 0.6 * true + 0.8 * other) > 0.5, 0.9, 0.1)
    y, trusted = labels_at(x, true), slice(n, n + 80)
    task = task_of(x[:n], weak[:n], x[n + 80 :], seed=seed, labelled=(x[trusted], weak[trusted], y[trusted]))
    return task, y[n + 80 :]
