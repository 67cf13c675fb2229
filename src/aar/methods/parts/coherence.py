"""Internal coherence of a labelling: how well each label follows from the others, less what is contradictory.

U = alpha mean_i s_i (2 y_i - 1) - I, s_i the log-odds of label 1 given all other labels, I the number of contradicting
couples (`parts/consistency.py`: read from the rows' texts, never from a label). Wen et al. 2025, arXiv:2506.10139, eq. 1-3.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from aar.methods.parts.consistency import allowed, broken
from aar.types import Rows

Couples = list[tuple[int, int, bool]]
CLIP = math.log(1e5)  # log-odds of an eps of 1e-5, as released


def utility(rows: Rows, tied: Couples, label: np.ndarray, log_odds: np.ndarray, alpha: float) -> float:
    """U of the labelled rows; label [n] in {0, 1, -1: none}, log_odds [n]."""
    there = label >= 0
    support = np.clip(log_odds[there], -CLIP, CLIP) * (2 * label[there] - 1)
    return float(alpha * support.mean() - len(broken(rows, tied, label)))


def temperature(flips: int, start: float = 10.0, least: float = 0.01) -> float:
    """T = max(least, start / (1 + 2 ln(1 + flips)))."""
    return max(least, start / (1 + 2 * math.log1p(flips)))


def repaired(
    rows: Rows,
    tied: Couples,
    label: np.ndarray,
    value: Callable[[np.ndarray], float],
    rng: np.random.Generator,
    tries: int = 10,
) -> np.ndarray:
    """The labels with contradictions resolved: for a random contradicting couple the allowed joint label of the highest
    value, kept if the value does not fall; at most `tries` times."""
    label = label.copy()
    for _ in range(tries):
        if not (wrong := broken(rows, tied, label)):
            break
        couple = wrong[int(rng.integers(len(wrong)))]
        options = []
        for pair in allowed(rows, couple):
            option = label.copy()
            option[[couple[0], couple[1]]] = pair
            options.append((value(option), option))
        best = max(options, key=lambda o: o[0])
        if best[0] >= value(label):
            label = best[1]
    return label
