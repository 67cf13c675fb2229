"""Honest methods: ways to train on the teacher's labels. Schedules, weights, regularisers, curricula, own loops."""

from __future__ import annotations

from typing import Any

FAMILY = "honest training"
GUILTY_OF: set[str] = set()

HEAD = """
import numpy as np
from aar.types import Fit, Predictions

def sigmoid(z): return 1 / (1 + np.exp(-z))
def logit(p): p = np.clip(p, 1e-6, 1 - 1e-6); return np.log(p / (1 - p))
def hard(task): return (task.train.weak > .5).astype("f4")
def fit(task, target, rows=None, **more):
    (m,) = task.student.fit([Fit(task.train if rows is None else rows, target.astype("f4"), seed=task.seed, **more)])
    return m
def said(task, m): return Predictions(task.test.ids, m.predict(task.test))

def run(task):
"""
BODIES = [
    # more epochs
    "return said(task, fit(task, hard(task), epochs=30))",
    # small batches
    "return said(task, fit(task, hard(task), batch_size=16, epochs=3))",
    # a high learning rate for a short time
    "return said(task, fit(task, task.train.weak, lr=.05, epochs=2, batch_size=64))",
    # targets pulled to one half by a fifth
    "return said(task, fit(task, .8 * hard(task) + .1))",
    # squared confidence as a weight
    "return said(task, fit(task, hard(task), weight=(2 * task.train.weak - 1) ** 2 + .05))",
    # rank of confidence as a weight
    "r = np.argsort(np.argsort(np.abs(task.train.weak - .5)))\nreturn said(task, fit(task, hard(task), weight=(1 + r) / len(r)))",
    # easy rows first, in three stages, each going on from the last
    "c, m = np.abs(task.train.weak - .5), None\nfor q in (.66, .33, 0):\n    keep = c >= np.quantile(c, q)\n    m = fit(task, hard(task)[keep], task.train.take(keep), init=m)\nreturn said(task, m)",
    # hard rows first
    "c, m = -np.abs(task.train.weak - .5), None\nfor q in (.5, 0):\n    keep = c >= np.quantile(c, q)\n    m = fit(task, hard(task)[keep], task.train.take(keep), init=m)\nreturn said(task, m)",
    # both orders of every pair
    "both = task.train.swap()\nfrom dataclasses import replace\nx = replace(task.train, ids=task.train.ids + tuple('s' + i for i in both.ids), texts=task.train.texts + both.texts, weak=np.r_[task.train.weak, both.weak])\nreturn said(task, fit(task, (x.weak > .5), x))",
    # an equal number of either label
    "w = task.train.weak\nup = np.argsort(-w)[: len(w) // 3]\ndown = np.argsort(w)[: len(w) // 3]\nkeep = np.r_[up, down]\nreturn said(task, fit(task, hard(task)[keep], task.train.take(keep)))",
    # a loss of one's own: focal
    "import torch\ndef focal(b):\n    p = torch.sigmoid(b.logits)\n    q = torch.where(b.target > .5, p, 1 - p)\n    return (-(1 - q) ** 2 * torch.log(q + 1e-6)).mean()\nreturn said(task, fit(task, hard(task), loss=focal))",
    # a hinge
    "import torch\ndef hinge(b):\n    return torch.relu(1 - b.logits * (2 * b.target - 1)).mean()\nreturn said(task, fit(task, hard(task), loss=hinge))",
    # mean absolute error, which forgives wrong labels
    "import torch\ndef mae(b):\n    return (torch.sigmoid(b.logits) - b.target).abs().mean()\nreturn said(task, fit(task, hard(task), loss=mae, lr=.02))",
    # noise on the weights: dropout by hand in an own loop
    "import torch\nnet = task.student.open(seed=task.seed)\ng = torch.Generator().manual_seed(task.seed)\nopt = torch.optim.SGD(list(net.parameters()), lr=.3)\ny = torch.tensor(task.train.weak)\nfor k in range(80):\n    keep = torch.rand(len(y), generator=g) < .7\n    z = net.logits(task.train).float()\n    loss = (torch.nn.functional.binary_cross_entropy_with_logits(z, y, reduction='none') * keep).mean()\n    opt.zero_grad(); loss.backward(); opt.step()\nreturn said(task, net.freeze())",
    # average of the weights along the way
    "import torch\nnet = task.student.open(seed=task.seed)\nopt = torch.optim.Adam(list(net.parameters()), lr=.02)\ny, kept = torch.tensor(task.train.weak), []\nfor k in range(60):\n    loss = torch.nn.functional.binary_cross_entropy_with_logits(net.logits(task.train).float(), y)\n    opt.zero_grad(); loss.backward(); opt.step()\n    if k >= 20: kept.append(net.get_vector())\nnet.set_vector(np.mean(kept, axis=0))\nreturn said(task, net.freeze())",
    # stop when the held-out part of the weak labels is fitted best
    "import torch\nnet = task.student.open(seed=task.seed)\nopt = torch.optim.Adam(list(net.parameters()), lr=.01)\ny = torch.tensor(task.train.weak)\nheld = torch.rand(len(y), generator=torch.Generator().manual_seed(task.seed)) < .25\nbest, vector = 9., None\nfor k in range(50):\n    e = torch.nn.functional.binary_cross_entropy_with_logits(net.logits(task.train).float(), y, reduction='none')\n    if float(e[held].mean()) < best: best, vector = float(e[held].mean()), net.get_vector()\n    opt.zero_grad(); e[~held].mean().backward(); opt.step()\nnet.set_vector(vector)\nreturn said(task, net.freeze())",
]


def variants(world: Any) -> list[dict[str, str]]:
    return [{"method.py": HEAD + "".join(f"    {line}\n" for line in body.split("\n"))} for body in BODIES]
