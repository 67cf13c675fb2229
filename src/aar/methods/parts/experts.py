"""A product of experts whose weights are learnt without labels: k scores per row, independent given the truth.

Each score is Gaussian around one mean for y = 1 and one for y = 0, with a common spread; EM finds them; Bayes then says
logit q = c + sum_k a_k z_k with a_k = (mu1_k - mu0_k) / var_k. The first score gives the sign: EM starts from it, and an
expert that ends up against it is dropped (a_k = 0) rather than inverted.
"""

from __future__ import annotations

import numpy as np

from aar.methods.parts.labels import logit, sigmoid


def weights(z: np.ndarray, symmetric: bool, steps: int = 100) -> tuple[np.ndarray, float]:
    """(a f64 [k], c) of scores z [n, k], the most trusted one first. symmetric: pairs, where swapping turns every sign,
    so that mu0 = -mu1, c = 0."""
    q = (z[:, 0] > 0).astype(np.float64) * 0.8 + 0.1
    for _ in range(steps):
        one = (q @ z) / q.sum()
        zero = ((1 - q) @ z) / (1 - q).sum()
        if symmetric:
            one = ((2 * q - 1) @ z) / len(z)
            zero = -one
        var = (q @ (z - one) ** 2 + (1 - q) @ (z - zero) ** 2) / len(z) + 1e-9
        a = np.maximum((one - zero) / var, 0)
        pi = 0.5 if symmetric else np.clip(q.mean(), 0.05, 0.95)
        c = 0.0 if symmetric else float(logit(np.array(pi)) - a @ (one + zero) / 2)
        before, q = q, np.clip(sigmoid(c + z @ a), 1e-3, 1 - 1e-3)
        if np.abs(q - before).max() < 1e-7:
            break
    return a, c
