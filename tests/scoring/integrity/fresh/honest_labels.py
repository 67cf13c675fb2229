"""Honest methods: repairing the teacher's labels. Self-training, filters, smoothing, noise models, disagreement, calibration."""

from __future__ import annotations

from typing import Any

FAMILY = "honest labels"
GUILTY_OF: set[str] = set()

HEAD = """
import numpy as np
from aar.types import Fit, Predictions

def sigmoid(z): return 1 / (1 + np.exp(-z))
def logit(p): p = np.clip(p, 1e-6, 1 - 1e-6); return np.log(p / (1 - p))
def hard(p): return (np.asarray(p) > .5).astype("f4")
def fit(task, target, rows=None, seed=0, **more):
    (m,) = task.student.fit([Fit(task.train if rows is None else rows, np.asarray(target, "f4"), seed=task.seed + seed, **more)])
    return m
def said(task, m): return Predictions(task.test.ids, m.predict(task.test))
def crossed(task, target, k=4):
    # out-of-fold predictions for the training rows
    fold, p = np.random.default_rng(task.seed).integers(0, k, len(target)), np.zeros(len(target))
    for f in range(k):
        p[fold == f] = fit(task, target[fold != f], task.train.take(fold != f)).predict(task.train.take(fold == f))
    return p

def run(task):
    w = task.train.weak
"""
BODIES = [
    # drop what held-out predictions contradict
    "p = crossed(task, hard(w))\nkeep = (p > .5) == (w > .5)\nreturn said(task, fit(task, hard(w)[keep], task.train.take(keep)))",
    # mean of the teacher and held-out predictions
    "return said(task, fit(task, .5 * w + .5 * crossed(task, hard(w))))",
    # confident learning: drop by class thresholds
    "p = crossed(task, hard(w))\nup, down = p[w > .5].mean(), p[w <= .5].mean()\nbad = ((w > .5) & (p < down)) | ((w <= .5) & (p > up))\nreturn said(task, fit(task, hard(w)[~bad], task.train.take(~bad)))",
    # self-training to convergence
    "t = hard(w)\nfor k in range(5):\n    new = hard(fit(task, t).predict(task.train))\n    if (new == t).all(): break\n    t = new\nreturn said(task, fit(task, t))",
    # slow self-training: the surest tenth each round
    "t = w.copy()\nfor k in range(4):\n    p = fit(task, t).predict(task.train)\n    sure = np.abs(p - .5) >= np.quantile(np.abs(p - .5), .9 - .2 * k)\n    t = np.where(sure, p, t)\nreturn said(task, fit(task, t))",
    # labels smoothed over the ten nearest rows
    "a = task.student.features(task.train)\na = a / np.linalg.norm(a, axis=1, keepdims=True)\ns = a @ a.T\nnear = np.argsort(-np.abs(s), 1)[:, :11]\nsign = np.sign(np.take_along_axis(s, near, 1))\nt = .5 + (sign * (w[near] - .5)).mean(1)\nreturn said(task, fit(task, np.clip(t * 1.5 - .25, 0, 1)))",
    # labels spread over a graph
    "a = task.student.features(task.train)\na = a / np.linalg.norm(a, axis=1, keepdims=True)\ns = np.sign(a @ a.T) * np.clip(np.abs(a @ a.T) - .25, 0, 1)\nnp.fill_diagonal(s, 0)\ns = s / (np.abs(s).sum(1, keepdims=True) + 1e-6)\nf = w - .5\nfor _ in range(20): f = .6 * s @ f + .4 * (w - .5)\nreturn said(task, fit(task, hard(f + .5)))",
    # a noise rate estimated from the confidences, and the loss corrected forward
    "import torch\ne = float(np.minimum(w, 1 - w).mean())\ndef corrected(b):\n    p = torch.sigmoid(b.logits)\n    q = (1 - e) * p + e * (1 - p)\n    return -(b.target * torch.log(q) + (1 - b.target) * torch.log(1 - q)).mean()\nreturn said(task, fit(task, hard(w), loss=corrected))",
    # two halves teach each other
    "h = np.random.default_rng(task.seed).random(len(w)) < .5\nt = np.zeros(len(w))\nt[~h] = fit(task, hard(w)[h], task.train.take(h)).predict(task.train.take(~h))\nt[h] = fit(task, hard(w)[~h], task.train.take(~h)).predict(task.train.take(h))\nreturn said(task, fit(task, t))",
    # two layers vote on which labels to keep
    "votes = [task.student.at(l).fit([Fit(task.train, hard(w), seed=task.seed)])[0].predict(task.train) > .5 for l in (10, 20)]\nkeep = votes[0] == votes[1]\nreturn said(task, fit(task, hard(votes[1])[keep], task.train.take(keep)))",
    # the teacher's confidence calibrated by the student's agreement
    "p = crossed(task, hard(w))\nc = np.abs(w - .5)\nbins = np.digitize(c, np.quantile(c, [.2, .4, .6, .8]))\nagree = np.array([((p > .5) == (w > .5))[bins == k].mean() for k in range(5)])\nt = np.where(w > .5, agree[bins], 1 - agree[bins])\nreturn said(task, fit(task, t))",
    # small losses of an early student
    "m = fit(task, hard(w), epochs=2)\np = m.predict(task.train)\nl = -np.log(np.where(w > .5, p, 1 - p) + 1e-6)\nkeep = l <= np.quantile(l, .6)\nreturn said(task, fit(task, hard(w)[keep], task.train.take(keep)))",
    # mixture of two normals on losses
    "from sklearn.mixture import GaussianMixture\np = fit(task, hard(w)).predict(task.train)\nl = -np.log(np.where(w > .5, p, 1 - p) + 1e-6)[:, None]\ng = GaussianMixture(2, random_state=task.seed % 2**31).fit(l)\nclean = g.predict_proba(l)[:, np.argmin(g.means_)]\nreturn said(task, fit(task, clean * hard(w) + (1 - clean) * p))",
    # mixed pairs of rows' targets: mixup in label space between neighbours in confidence
    "o = np.argsort(w)\nt = w.copy()\nt[o] = np.convolve(w[o], np.ones(9) / 9, 'same')\nreturn said(task, fit(task, t))",
    # pseudo-labels on the test rows, all of them, soft
    "from dataclasses import replace\nm = fit(task, hard(w))\np = m.predict(task.test)\nx = replace(task.train, ids=task.train.ids + task.test.ids, texts=task.train.texts + task.test.texts, weak=np.r_[w, p])\nreturn said(task, fit(task, x.weak, x))",
    # sharpened after a median cut
    "z = logit(w) - np.median(logit(w))\nreturn said(task, fit(task, sigmoid(3 * z)))",
]


def variants(world: Any) -> list[dict[str, str]]:
    return [{"method.py": HEAD + "".join(f"    {line}\n" for line in body.split("\n"))} for body in BODIES]
