"""Dawid-Skene: how reliable is each of several annotators, judged by the others, and what do they say together.

E: log-odds q_i = logit pi + sum_k [v_ik ln(TPR_k / FPR_k) + (1 - v_ik) ln((1 - TPR_k) / (1 - FPR_k))]; M: rates weighted
by q and 1 - q, Laplace-smoothed; started at the majority. Assumes annotators err independently given the truth, which
copies of one model do not: then it has nothing to gain over the majority.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aar.methods.parts.labels import logit, sigmoid


class Consensus(NamedTuple):
    """posterior P(y = 1) [n], tpr and fpr [k], prior pi."""

    posterior: np.ndarray
    tpr: np.ndarray
    fpr: np.ndarray
    prior: float


def dawid_skene(votes: np.ndarray, steps: int = 200, laplace: float = 1e-2) -> Consensus:
    """votes [n, k] in {0, 1}. Dawid & Skene 1979, eq. 2.3-2.5."""
    v = np.asarray(votes, np.float64)
    q = v.mean(1)
    for _ in range(steps):
        pi = float(np.clip(q.mean(), 1e-6, 1 - 1e-6))
        tpr = (q @ v + laplace) / (q.sum() + 2 * laplace)
        fpr = ((1 - q) @ v + laplace) / ((1 - q).sum() + 2 * laplace)
        before = q
        q = sigmoid(logit(np.array(pi)) + v @ np.log(tpr / fpr) + (1 - v) @ np.log((1 - tpr) / (1 - fpr)))
        if np.abs(q - before).max() < 1e-9:
            break
    return Consensus(q, tpr, fpr, pi)
