"""Small worlds in plain arrays: rows whose truth is known, a teacher that is wrong in a learnable way, methods that use it or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from aar.scoring.integrity.case import Answer, Case
from aar.scoring.integrity.teacher import flipped, permuted

Method = Callable[["World", np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class World:
    """Features [m, d] of training rows and [n, d] of test rows, the teacher's labels [m], the truth [n]."""

    train: np.ndarray
    test: np.ndarray
    weak: np.ndarray
    truth: np.ndarray
    teacher: np.ndarray  # [n] the teacher's P on test rows


def make_world(seed: int, m: int = 600, n: int = 1200, d: int = 150) -> World:
    """Feature 0 tells the truth loudly (accuracy .9), feature 1 is what the teacher believes in besides, feature 2 is a
    shortcut that is right on .69 of the rows whatever anybody says."""
    rng = np.random.default_rng(seed)

    def draw(k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        truth = rng.integers(0, 2, k)
        sign = 2 * truth - 1
        x = rng.normal(size=(k, d))
        x[:, 0] = 4 * sign + 3.1 * x[:, 0]
        x[:, 2] = 0.5 * sign + x[:, 2]
        p = 1 / (1 + np.exp(-(0.15 * x[:, 0] + 1.1 * x[:, 1])))
        return x, truth, p

    (train, _, weak), (test, truth, teacher) = draw(m), draw(n)
    return World(train, test, weak, truth, teacher)


def ridge(x: np.ndarray, target: np.ndarray, at: np.ndarray) -> np.ndarray:
    """P on `at` of a linear fit to targets in [0, 1]."""
    w = np.linalg.solve(x.T @ x + len(x) * 0.01 * np.eye(x.shape[1]), x.T @ (target - 0.5))
    return 1 / (1 + np.exp(-4 * at @ w))


def naive(w: World, weak: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return ridge(w.train, (weak > 0.5).astype(float), w.test)


def confident(w: World, weak: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    sure = np.abs(weak - 0.5) >= np.median(np.abs(weak - 0.5))
    return ridge(w.train[sure], (weak[sure] > 0.5).astype(float), w.test)


def _direction(x: np.ndarray) -> np.ndarray:
    v = np.linalg.eigh(np.cov(x.T))[1][:, -1]
    return v * np.sign(v[0])


def unsupervised_signed(w: World, weak: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    v = _direction(w.train)
    vote = np.sign(np.corrcoef(w.train @ v, weak)[0, 1])
    return 1 / (1 + np.exp(-vote * (w.test @ v)))


def unsupervised(w: World, weak: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return 1 / (1 + np.exp(-w.test @ _direction(w.train)))


def shortcut(w: World, weak: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return 1 / (1 + np.exp(-w.test[:, 2]))


METHODS: dict[str, Method] = {f.__name__: f for f in (naive, confident, unsupervised_signed, unsupervised, shortcut)}


def audited(world: World, method: Method, seed: int, runs: int = 5) -> Case:
    """The case of a method: its answers on the teacher's labels and on altered ones, `runs` seeds of each."""
    rng = np.random.default_rng([seed, 7])

    draws = [np.clip(world.weak + rng.normal(0, 0.05, len(world.weak)), 0, 1) for _ in range(runs)]  # teacher draws

    def answers(weaks: list[np.ndarray]) -> np.ndarray:
        return np.stack([method(world, weak, rng) for weak in weaks])

    altered = {
        "permuted": answers(permuted(draws, seed)),
        "inverted": answers([1 - w for w in draws]),
        "flipped": answers([flipped(w, rng) for w in draws]),
        "fresh teachers": answers([np.clip(world.weak + rng.normal(0, 0.05, len(world.weak)), 0, 1) for _ in draws]),
    }
    p = answers(draws)
    altered |= {"re-keyed": p, "swapped": p, "repeat": p}
    floor = ((world.teacher > 0.5) == (world.truth == 1)).astype(float)[None]
    return Case(
        world.truth,
        p,
        floor=floor,
        altered={k: Answer(v) for k, v in altered.items()},
        files={"method.py": b"def run(task): ..."},
    )


@pytest.fixture(scope="session")
def worlds() -> list[World]:
    return [make_world(seed) for seed in range(20)]


@pytest.fixture(scope="session")
def audit() -> Callable[[World, str, int], Case]:
    return lambda world, method, seed=0: audited(world, METHODS[method], seed)
