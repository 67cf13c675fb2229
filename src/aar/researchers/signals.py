"""Process signals: what a trial on public data tells of a method without any label.

None of this is a score: all of them can be high for a method that copies its teacher's mistakes.

s seeds, n test rows, m training rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from aar.researchers.base import Trial

Signals = dict[str, float]


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
