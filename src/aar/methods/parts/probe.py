"""A logistic probe on soft labels. It stands for EleutherAI w2s' `Classifier`: mean cross-entropy plus l2 / 2 |w|^2, L-BFGS."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Probe = Callable[[np.ndarray], np.ndarray]


def logistic(x: np.ndarray, w: np.ndarray, l2: float, kind: str) -> Probe:
    """Features [n, d], soft labels [n] -> a function features [m, d] -> P(label = 1) [m]. Pairs get no intercept, so that the
    probe says the opposite of a swapped pair. A soft label counts as both labels with its weights, which is the same loss."""
    from sklearn.linear_model import LogisticRegression

    odd = kind == "pair"
    scale = np.sqrt(np.square(x).mean()) + 1e-12  # one number: it only conditions the search, see C
    both, label = np.concatenate([x, x]) / scale, np.repeat([1, 0], len(x))
    weight = np.clip(np.concatenate([w, 1 - w]), 1e-9, None)
    model = LogisticRegression(C=scale**2 / (l2 * len(x)), fit_intercept=not odd, max_iter=500, tol=1e-5)
    model.fit(both, label, sample_weight=weight)
    bias = 0.0 if odd else model.intercept_[0]
    return lambda query: 1 / (1 + np.exp(-(query / scale @ model.coef_[0] + bias)))
