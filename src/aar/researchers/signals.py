"""Process signals: what a trial on public data tells of a method without any label, and a guess of its worth from them.

None of this is a score. Signals can all be high for a method that copies its teacher's mistakes; they are what a
researcher has between its few answers from the lab, and the guess is corrected by those answers.

s seeds, n test rows, m training rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from aar.researchers.base import Trial

Signals = dict[str, float]

# Weights of a guess before any answer, in PGR per standard deviation among the trials. Agreement with what is
# independent (other recipes, other teacher draws, weak labels of rows never trained on) is evidence; confidence is not.
PRIOR = {"agreement": 0.04, "seeds": 0.03, "consensus": 0.06, "balance": 0.02, "confidence": 0.0}
SPREAD = 0.04  # standard deviation of each weight before any answer
LEVEL, LEVEL_SPREAD = 0.3, 0.3  # the same for the mean method's PGR
TOLD, CLAIMED = 0.1, 0.25  # noise of the lab's answers, and of what others say theirs were


def signals_of(trial: Trial) -> Signals:
    """{agreement, seeds, balance, confidence}, each in [0, 1].

    agreement: the teacher's mean probability of what the method says of training rows it did not see; seeds: how often
    two seeds say the same of a test row; balance: 1 - the gap between the shares of label 1 here and in the weak
    labels; confidence: mean |2p - 1|.
    """
    hard = trial.p > 0.5
    seen = np.isfinite(trial.held_out)
    agreed = np.where(trial.held_out > 0.5, trial.weak, 1 - trial.weak)[seen]
    pairs = [float((hard[a] == hard[b]).mean()) for a, b in combinations(range(len(hard)), 2)]
    found = {
        "agreement": float(agreed.mean()) if seen.any() else 0.5,
        "seeds": float(np.mean(pairs)) if pairs else 1.0,
        "balance": 1 - abs(float(hard.mean()) - float((trial.weak > 0.5).mean())),
        "confidence": float(np.abs(2 * trial.p - 1).mean()),
    }
    return {name: round(value, 4) for name, value in found.items()}


def consensus(votes: Sequence[np.ndarray]) -> list[float]:
    """How far each of k methods agrees with the majority of the others. `votes` k times [s, n] in [0, 1]."""
    hard = np.stack([(v > 0.5).mean(0) for v in votes])  # [k, n]: share of a method's seeds that say 1
    if len(hard) == 1:
        return [0.5]
    others = (hard.sum(0) - hard) / (len(hard) - 1)
    return [round(float((h * o + (1 - h) * (1 - o)).mean()), 4) for h, o in zip(hard, np.round(others), strict=True)]


@dataclass(frozen=True)
class Observation:
    """An answer about a method with these signals: a PGR, or None for "not above `bar`"."""

    signals: Signals
    pgr: float | None
    bar: float = 0.0
    noise: float = TOLD


class Guess:
    """PGR = level + weights . z, z the signals in standard deviations of the trials: Bayesian linear regression."""

    def __init__(self, trials: Sequence[Signals], observations: Sequence[Observation] = ()) -> None:
        self.names = list(PRIOR)
        x = np.array([self._row(s) for s in trials])
        self.mean, self.scale = x.mean(0), np.maximum(x.std(0), 1e-3)
        self.weights = np.array([LEVEL, *PRIOR.values()])
        precision = np.diag([LEVEL_SPREAD**-2, *[SPREAD**-2] * len(PRIOR)])
        moment = precision @ self.weights
        for seen in observations:
            z, pgr = self._features(seen.signals), seen.pgr
            if pgr is None:
                if z @ self.weights <= seen.bar:
                    continue  # as expected: nothing learnt
                pgr = seen.bar
            precision, moment = precision + np.outer(z, z) / seen.noise**2, moment + z * pgr / seen.noise**2
            self.weights = np.linalg.solve(precision, moment)

    def __call__(self, signals: Signals) -> float:
        """The expected PGR."""
        return float(self._features(signals) @ self.weights)

    def _row(self, signals: Signals) -> list[float]:
        return [signals.get(name, 0.5) for name in self.names]

    def _features(self, signals: Signals) -> np.ndarray:
        z = (np.array(self._row(signals)) - self.mean) / self.scale
        return np.concatenate([[1.0], np.clip(z, -3, 3)])


def observed(data: Mapping[str, Any], noise: float) -> Observation | None:
    """What another's finding says of an answer, if it is of the right form; its numbers cut to what is possible."""
    signals, pgr = data.get("signals"), data.get("pgr")
    if not isinstance(signals, dict) or not all(_is_number(signals.get(name)) for name in PRIOR):
        return None
    if pgr is not None and not _is_number(pgr):
        return None
    kept = {name: min(1.0, max(0.0, float(signals[name]))) for name in PRIOR}
    return Observation(kept, None if pgr is None else min(1.2, max(-0.2, float(pgr))), noise=noise)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
