"""Noisy-channel EM: the student's own opinion is the prior, the teacher a channel whose error rates depend on the row.

Round 1: prior sigma(b m), m the mean of the student's margins over templates and orders; channel features: the teacher's
confidence, the mean margin, its spread, the agreement of signs. Posterior, tempered (sharper where sure), trains the
student. Round 2 puts the student's cross-fitted predictions in place of the margins and refits. Never its in-sample
predictions: those repeat the labels they were trained on, and the channel would look perfect.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.channel import channel_em, own_rates
from aar.methods.parts.crossfit import out_of_fold
from aar.methods.parts.labels import logit, sigmoid
from aar.methods.parts.margins import all_margins
from aar.types import Fit, Kind, Predictions, Task

CARD = Card(
    family="combination",
    inputs=("weak", "score", "fit"),
    cost="minutes",
    source="automated-w2s reference study 2026 (EM posterior, PGR .78); Raykar et al. 2010, JMLR 11, sec. 2",
    summary="Bayes with the student's opinion as prior and the teacher as a channel with row-dependent error rates, by EM",
    defaults={"templates": 3, "rounds": 2, "slope": None, "l2": 0.05, "sharp": 0.5, "soft": 1.5},
    formula=r"q = \frac{\pi\,\ell_1}{\pi\,\ell_1 + (1 - \pi)\,\ell_0},\quad \pi = \sigma(b\,m),\ "
    r"\mathrm{TPR} = \sigma(a f + a_0),\ \mathrm{FPR} = \sigma(b f + b_0)",
    grid=({"templates": 1}, {"rounds": 1}),
    departs="the ridge pulls towards the rates that the teacher's own confidence claims, not towards rates measured on "
    "its training split, which a method here does not see",
)


def standard(x: np.ndarray) -> np.ndarray:
    """[n, d] columns with mean 0 and spread 1; a constant one is 0."""
    return (x - x.mean(0)) / (x.std(0) + 1e-9)


def scaled(opinion: np.ndarray, kind: Kind) -> np.ndarray:
    """[n] log-odds whose typical size is 1, whatever scale a model speaks in; of claims around their median, because a
    model's taste for "True" is no knowledge."""
    opinion = opinion - (np.median(opinion) if kind == "binary" else 0)
    return opinion / (np.sqrt(np.mean(opinion**2)) + 1e-9)


def tempered(q: np.ndarray, sharp: float, soft: float) -> np.ndarray:
    """sigma(logit q / tau), tau from `soft` where q = .5 to `sharp` where it is sure."""
    tau = soft + (sharp - soft) * np.abs(2 * q - 1)
    return sigmoid(logit(q) / tau)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    weak, m = task.train.weak.astype(np.float64), all_margins(task.student, task.train, p["templates"])
    m = m - (np.median(m, axis=0) if task.kind == "binary" else 0)
    confidence, spread, agreement = np.abs(2 * weak - 1), m.std(1), np.abs(np.sign(m).mean(1))
    opinion = scaled(m.mean(1), task.kind)
    for turn in range(p["rounds"] + 1):
        f = standard(np.stack([confidence, opinion, spread, agreement], axis=1))
        q = channel_em(weak > 0.5, opinion, f, own_rates(weak), p["l2"], slope=p["slope"]).posterior
        target = tempered(q, p["sharp"], p["soft"]).astype(np.float32)
        if turn < p["rounds"]:
            opinion = scaled(logit(out_of_fold(task, target)), task.kind)
    (model,) = task.student.fit([Fit(task.train, target, seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
