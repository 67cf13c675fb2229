"""Ridge logistic regression with soft targets, row weights and a prior mean: the M-step of EM and the linear probes.

Newton's method on  mean_i w_i CE(sigma(x_i b), q_i) / mean w  +  sum_j l2_j (b_j - prior_j)^2 / 2.  Deterministic; no
start to choose, since the objective is convex.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aar.types import Kind

Probe = Callable[[np.ndarray], np.ndarray]


def logistic(
    x: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray | None = None,
    l2: float | np.ndarray = 1e-3,
    prior: np.ndarray | None = None,
    steps: int = 50,
) -> np.ndarray:
    """b f64 [d] of x [n, d], target [n] in [0, 1], weight [n] >= 0; l2 one number or [d]; prior [d], 0 by default."""
    x = np.asarray(x, np.float64)
    n, d = x.shape
    share = np.full(n, 1 / n) if weight is None else np.asarray(weight, np.float64) / np.sum(weight)
    prior = np.zeros(d) if prior is None else np.asarray(prior, np.float64)
    ridge = np.broadcast_to(np.asarray(l2, np.float64), (d,))
    b = prior.copy()

    def value(b: np.ndarray) -> float:
        z = x @ b
        return float(share @ (np.logaddexp(0, z) - target * z) + ridge @ (b - prior) ** 2 / 2)

    now = value(b)
    for _ in range(steps):
        p = _sigmoid(x @ b)
        gradient = x.T @ (share * (p - target)) + ridge * (b - prior)
        hessian = (x * (share * p * (1 - p))[:, None]).T @ x + np.diag(ridge + 1e-12)
        step, size = np.linalg.solve(hessian, gradient), 1.0
        while (after := value(b - size * step)) > now and size > 1e-6:
            size /= 2
        if now - after < 1e-12:
            break
        b, now = b - size * step, after
    return b


def probe(x: np.ndarray, w: np.ndarray, l2: float, kind: Kind) -> Probe:
    """Features [n, d], soft labels [n] -> a function features [m, d] -> P(label = 1) [m]. It stands for EleutherAI w2s'
    `Classifier`: mean cross-entropy plus l2 / 2 |w|^2. Pairs get no intercept, so that the probe says the opposite of a swapped pair."""

    def design(h: np.ndarray) -> np.ndarray:
        return h if kind == "pair" else np.hstack([h, np.ones((len(h), 1))])

    b = logistic(design(x), w, l2=np.r_[np.full(x.shape[1], l2), np.zeros(int(kind != "pair"))])
    return lambda query: _sigmoid(design(query) @ b)


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(z, -500, 500)))
