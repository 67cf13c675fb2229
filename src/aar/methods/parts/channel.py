"""The teacher as a noisy channel: truth goes in, a weak label comes out, with error rates that depend on the row.

prior pi_i = sigma(b m_i) = P(y_i = 1) without the teacher; TPR_i = sigma(a f_i + a0) = P(wh_i = 1 | y_i = 1); FPR_i = sigma(b f_i + b0).
E: q_i = pi_i l1 / (pi_i l1 + (1 - pi_i) l0), l1 = TPR or 1 - TPR by wh, l0 likewise. M: logistic regressions of wh on f
with weights q and 1 - q. Features that contain the prior's own margin make channel and prior hard to tell apart, so (a, b)
carry a ridge towards given rates, and a channel that says the opposite of the truth is not allowed: TPR > FPR.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aar.methods.parts.labels import logit, sigmoid
from aar.methods.parts.logistic import logistic


class Channel(NamedTuple):
    """posterior P(y = 1 | wh) [n]; coefficients of TPR and FPR [d + 1], the constant last; slope b of the prior."""

    posterior: np.ndarray
    tpr: np.ndarray
    fpr: np.ndarray
    slope: float


def own_rates(weak: np.ndarray) -> tuple[float, float]:
    """(TPR, FPR) that the teacher itself claims, were its confidence calibrated; kept inside [.55, .95] and mirrored."""
    hard = weak > 0.5
    tpr, fpr = (weak * hard).sum() / weak.sum(), ((1 - weak) * hard).sum() / (1 - weak).sum()
    return float(np.clip(tpr, 0.55, 0.95)), float(np.clip(fpr, 0.05, 0.45))


def rates(design: np.ndarray, tpr: np.ndarray, fpr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(TPR_i, FPR_i) [n]; where a row's TPR is not above its FPR both are their mean: there the label says nothing."""
    t, f = sigmoid(design @ tpr), sigmoid(design @ fpr)
    middle = (t + f) / 2
    return np.where(t > f, t, middle), np.where(t > f, f, middle)


def posterior(hard: np.ndarray, prior: np.ndarray, t: np.ndarray, f: np.ndarray) -> np.ndarray:
    """[n] P(y = 1 | wh) by Bayes."""
    one, zero = np.where(hard, t, 1 - t), np.where(hard, f, 1 - f)
    return sigmoid(logit(prior) + np.log(one) - np.log(zero))


def channel_em(
    hard: np.ndarray,
    opinion: np.ndarray,
    features: np.ndarray,
    start: tuple[float, float] = (0.7, 0.3),
    l2: float = 0.05,
    steps: int = 50,
    slope: float | None = None,
) -> Channel:
    """hard [n] bool, opinion [n] log-odds m of label 1, features [n, d] standardised. start: rates that the ridge l2 pulls
    towards. slope: b of the prior sigma(b m), None: found by EM too (ridge towards 1)."""
    design = np.hstack([features, np.ones((len(features), 1))])
    to_tpr, to_fpr = (np.r_[np.zeros(features.shape[1]), logit(np.array(r))] for r in start)
    a, b, scale, q = to_tpr, to_fpr, 1.0 if slope is None else slope, sigmoid(opinion)
    for _ in range(steps):
        before, q = q, posterior(hard, sigmoid(scale * opinion), *rates(design, a, b))
        a, b = logistic(design, hard, q, l2, to_tpr), logistic(design, hard, 1 - q, l2, to_fpr)
        if sigmoid(design @ a).mean() <= sigmoid(design @ b).mean():
            a, b = b, a  # the mirror image of the solution, with the classes exchanged
        if slope is None:
            scale = max(0.0, float(logistic(opinion[:, None], q, l2=l2, prior=np.ones(1))[0]))
        if np.abs(q - before).max() < 1e-6:
            break
    return Channel(posterior(hard, sigmoid(scale * opinion), *rates(design, a, b)), a, b, scale)
