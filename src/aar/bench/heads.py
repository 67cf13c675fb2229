"""Training 25 heads: as one list, one by one, and by scikit-learn."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

import numpy as np

from aar.bench.base import Figure, Say, benches
from aar.models.student import HeadStudent
from aar.models.toy import ArrayStore, learnable
from aar.settings import LabFolder
from aar.types import Fit, Pair, Rows

HEADS, ROWS, WIDTH, NOISE = 25, 550, 576, 0.2  # as many rows and features as `code` has


@benches.register("heads")
def run(lab: LabFolder, say: Say) -> list[Figure]:
    """Seconds for 25 linear heads on 550 pairs x 576 drawn features, each with its own noisy labels."""
    student = HeadStudent(ArrayStore(WIDTH), "drawn", "pair", layer=1)
    rows = Rows("pair", tuple(map(str, range(ROWS))), tuple(Pair(f"q{i}", f"a{i}", f"b{i}") for i in range(ROWS)))
    truth, rng = learnable(student, rows), np.random.default_rng(0)
    targets = [np.abs(truth - (rng.random(ROWS) < NOISE)).astype(np.float32) for _ in range(HEADS)]
    fits = [Fit(rows, target, seed=seed) for seed, target in enumerate(targets)]
    student.fit(fits[:1])  # imports and features are paid for
    say(f"{HEADS} heads as one list")
    together = _seconds(lambda: student.fit(fits))
    say(f"{HEADS} heads one by one")
    singly = _seconds(lambda: [student.fit([fit]) for fit in fits])
    say(f"{HEADS} heads by scikit-learn")
    sklearn = _seconds(lambda: _logistic(student.features(rows), targets))
    return [
        Figure(f"{HEADS} heads as one list", together, "s", "one by one", singly),
        Figure(f"{HEADS} heads as one list", together, "s", "scikit-learn LogisticRegression", sklearn),
    ]


def _logistic(x: np.ndarray, targets: list[np.ndarray]) -> None:
    """The same objective to convergence: ridge |w|^2 / 2 on RMS-scaled features is C = 1 / n of a mean loss."""
    from sklearn.linear_model import LogisticRegression

    x = x / np.sqrt(np.square(x).mean(0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for target in targets:
            LogisticRegression(C=1.0, fit_intercept=False, max_iter=1000).fit(x, target)


def _seconds(work: Callable[[], object]) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start
