"""Ridge logistic regression with soft targets, row weights and a prior mean: the M-step of EM and the linear probe.

Newton's method on  mean_i w_i CE(sigma(x_i b), q_i) / mean w  +  sum_j l2_j (b_j - prior_j)^2 / 2.  Deterministic; no
start to choose, since the objective is convex.
"""

from __future__ import annotations

import numpy as np

from aar.methods.parts.labels import sigmoid


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
        p = sigmoid(np.clip(x @ b, -500, 500))
        gradient = x.T @ (share * (p - target)) + ridge * (b - prior)
        hessian = (x * (share * p * (1 - p))[:, None]).T @ x + np.diag(ridge + 1e-12)
        step, size = np.linalg.solve(hessian, gradient), 1.0
        while (after := value(b - size * step)) > now and size > 1e-6:
            size /= 2
        if now - after < 1e-12:
            break
        b, now = b - size * step, after
    return b
