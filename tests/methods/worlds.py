"""Small synthetic worlds, each built for the assumption of some methods: seed -> (task, truth of its test rows).

n training rows, d features, flips: random errors of the teacher. ridge=0 lets a student with as many features as rows learn
any label by heart, which is what robust methods must prevent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np

from aar.methods import library
from aar.methods.fakes import labels_at, said, task_of
from aar.types import Task

World = Callable[[int], tuple[Task, np.ndarray]]
TEST = 1000


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def logit(p: np.ndarray | float) -> np.ndarray:
    return np.log(p) - np.log1p(-np.asarray(p))


def two_minds(seed: int, over: float = 1.0) -> tuple[Task, np.ndarray]:
    """Right nearly always where the teacher is sure, a coin where it is not. over > 1: it says so too loudly."""
    rng, n = np.random.default_rng(seed), 300
    x = rng.normal(size=(n + TEST, 40))
    y = labels_at(x, rng.normal(size=40))
    knows = rng.random(n) < 0.5
    right = rng.random(n) < np.where(knows, 0.97, 0.5)
    sure = np.where(knows, rng.uniform(0.85, 0.98, n), rng.uniform(0.5, 0.65, n))
    weak = sigmoid(over * logit(np.where(right == (y[:n] > 0.5), sure, 1 - sure)))
    return task_of(x[:n], weak, x[n:], seed=seed), y[n:]


def loud(seed: int) -> tuple[Task, np.ndarray]:
    return two_minds(seed, over=8.0)


def slanted(seed: int) -> tuple[Task, np.ndarray]:
    """Claims; the teacher leans towards "true", and 300 trusted rows show it."""
    rng, n, d = np.random.default_rng(seed), 500, 10
    x, direction = rng.normal(size=(n + 300 + TEST, d)), rng.normal(size=d)
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


def other_prior(seed: int) -> tuple[Task, np.ndarray]:
    """Claims; the teacher is calibrated for a world with 85 % true ones, and here half are."""
    rng, n = np.random.default_rng(seed), 600
    y = (rng.random(n + TEST) < 0.5).astype(float)
    x = rng.normal(size=(n + TEST, 4))
    x[:, 0] += 1.5 * (2 * y - 1)
    evidence = rng.normal(size=n) + 0.8 * (2 * y[:n] - 1)
    weak = sigmoid(1.6 * evidence + logit(0.85))
    return task_of(x[:n], weak, x[n:], kind="binary", seed=seed, ridge=0.0), y[n:]


def by_heart(seed: int, sure: float | None = None, epochs: int = 120) -> tuple[Task, np.ndarray]:
    """Two clusters along one direction of 200, 30 % flips, as many features as rows: the truth is learnt first, the flips
    later (the model of early learning, Liu et al. 2020). sure: every label has this confidence."""
    rng, n, d = np.random.default_rng(seed), 200, 200
    y = (rng.random(n + TEST) < 0.5).astype(float)
    middle = rng.normal(size=d)
    x = np.outer(2 * y - 1, 2 * middle / np.linalg.norm(middle)) + rng.normal(size=(n + TEST, d))
    weak = said(rng, y[:n], 0.7)
    weak = weak if sure is None else np.where(weak > 0.5, sure, 1 - sure)
    return task_of(x[:n], weak, x[n:], seed=seed, ridge=0.0, epochs=epochs), y[n:]


def by_heart_long(seed: int) -> tuple[Task, np.ndarray]:
    return by_heart(seed, epochs=200)


def by_heart_sure(seed: int) -> tuple[Task, np.ndarray]:
    return by_heart(seed, sure=0.999, epochs=240)


def clusters(seed: int, rate: float = 0.3, ridge: float | None = 0.0) -> tuple[Task, np.ndarray]:
    """Two clusters that lie well apart, in 150 features; random flips."""
    rng, n, d = np.random.default_rng(seed), 200, 150
    y = (rng.random(n + TEST) < 0.5).astype(float)
    middle = rng.normal(size=d)
    x = np.outer(2 * y - 1, 3 * middle / np.linalg.norm(middle)) + rng.normal(size=(n + TEST, d))
    return task_of(x[:n], said(rng, y[:n], 1 - rate), x[n:], seed=seed, ridge=ridge), y[n:]


def clusters_ridged(seed: int) -> tuple[Task, np.ndarray]:
    """More flips, and a student that is held back by its usual ridge."""
    return clusters(seed, rate=0.4, ridge=None)


def patterns(seed: int) -> tuple[Task, np.ndarray]:
    """An easy pattern, which the teacher sees, and a hard one, which it does not: rows hold the one (40 %), the other (30 %,
    where the teacher guesses) or both. Tested where only the hard one is there."""
    rng, n, d = np.random.default_rng(seed), 300, 24
    y = (rng.random(n + TEST) < 0.5).astype(float)
    easy, hard = np.zeros(d), np.zeros(d)
    easy[: d // 2], hard[d // 2 :] = rng.normal(size=d // 2), rng.normal(size=d // 2)
    part = rng.choice(3, size=n + TEST, p=[0.4, 0.3, 0.3])
    part[n:] = 1
    signal = np.outer(part != 1, 4 * easy / np.linalg.norm(easy)) + np.outer(part != 0, 4 * hard / np.linalg.norm(hard))
    x = (2 * y - 1)[:, None] * signal + 0.7 * rng.normal(size=(n + TEST, d))
    knows = part[:n] != 1
    right = rng.random(n) < np.where(knows, 0.95, 0.4)
    sure = np.where(knows, rng.uniform(0.85, 0.97, n), rng.uniform(0.5, 0.6, n))
    return task_of(x[:n], np.where(right == (y[:n] > 0.5), sure, 1 - sure), x[n:], seed=seed), y[n:]


def wrong_rule(seed: int) -> tuple[Task, np.ndarray]:
    """The teacher follows a tilted rule without a doubt; a few trusted rows say otherwise."""
    rng, n, d = np.random.default_rng(seed), 400, 20
    true, other = np.linalg.qr(rng.normal(size=(d, 2)))[0].T
    x = rng.normal(size=(n + 80 + TEST, d))
    weak = np.where(labels_at(x, 0.6 * true + 0.8 * other) > 0.5, 0.9, 0.1)
    y, trusted = labels_at(x, true), slice(n, n + 80)
    task = task_of(x[:n], weak[:n], x[n + 80 :], seed=seed, labelled=(x[trusted], weak[trusted], y[trusted]))
    return task, y[n + 80 :]


made = cache(lambda world, seed: world(seed))


@cache
def accuracy(world: World, method: str, params: tuple[tuple[str, object], ...], seed: int) -> float:
    task, truth = made(world, seed)
    p = library.get(method).run(replace(task, params=dict(params))).aligned(task.test.ids)
    return float(((p > 0.5) == truth).mean())


def gain(world: World, method: str, params: dict[str, object], over: str, seeds: int = 4) -> tuple[float, float]:
    """(mean, standard error) of the accuracy gained over another method, seed by seed."""
    pairs = [(accuracy(world, method, tuple(params.items()), s), accuracy(world, over, (), s)) for s in range(seeds)]
    gained = np.array([a - b for a, b in pairs])
    return float(gained.mean()), float(gained.std(ddof=1) / np.sqrt(seeds))
