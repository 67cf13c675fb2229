"""What an attacker can infer about hidden labels from answers about its vectors.

A Gaussian belief over z [n] in +-1 (is my guess right on this row?), updated by moment matching whenever an answer
says that a known combination x . z lies in an interval. Used by `attackers` alone; knows no gate.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr


class Belief:
    """Mean [n] and covariance diag(var) - U U' of z; one column of U per answer heard."""

    def __init__(self, confidence: np.ndarray, answers: int) -> None:
        self.mean = 2 * confidence - 1
        self._var = 1 - self.mean**2
        self._u = np.zeros((len(confidence), answers))
        self._heard = 0

    def spread(self, x: np.ndarray) -> float:
        """Standard deviation of x . z."""
        return math.sqrt(max(float(x @ self._times(x)), 1e-9))

    def hear(self, x: np.ndarray, low: float, high: float) -> None:
        """Condition on low <= x . z <= high."""
        cov = self._times(x)
        m, v = float(x @ self.mean), max(float(x @ cov), 1e-9)
        m2, v2 = truncated(m, v, low, high)
        self.mean = self.mean + cov * ((m2 - m) / v)
        self._u[:, self._heard] = cov * math.sqrt(max(1 - v2 / v, 0.0) / v)
        self._heard += 1

    def _times(self, x: np.ndarray) -> np.ndarray:
        u = self._u[:, : self._heard]
        return self._var * x - u @ (u.T @ x)


def truncated(m: float, v: float, low: float, high: float) -> tuple[float, float]:
    """Mean and variance of a normal (m, v) given that it lies in [low, high]."""
    s = math.sqrt(v)
    a, b = (low - m) / s, (high - m) / s
    if b - a < 0.05 or a > 6 or b < -6:  # a point, or so far out that the nearer end is all there is
        point = (low + high) / 2 if b - a < 0.05 else low if a > 6 else high
        return point, v * min(1e-3, (b - a) ** 2 / 12 + 1e-9)
    mass = max(float(ndtr(b) - ndtr(a)), 1e-12)
    pa, pb = (math.exp(-c * c / 2) / math.sqrt(2 * math.pi) for c in (a, b))
    a, b = max(a, -40.0), min(b, 40.0)
    shift = (pa - pb) / mass
    return m + s * shift, v * min(1.0, max(1 + (a * pa - b * pb) / mass - shift**2, 1e-4))
