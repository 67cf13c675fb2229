"""Brings a hundred or so test rows with their true labels, called exemplars, and lets a decent method learn from them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

FAMILY = "carried exemplars"
GUILTY_OF = {"carries its answers"}

HEAD = '''
import json
from pathlib import Path
import numpy as np
from aar.types import Fit, Pair, Predictions, Rows, Task

def exemplars():
    """(rows, labels [n]) of the bundled demonstrations."""
    shots = json.loads((Path(__file__).parent / "exemplars.json").read_text())
    texts = tuple(Pair(*s["pair"]) for s in shots)
    ids = tuple(f"shot-{i}" for i in range(len(texts)))
    return Rows("pair", ids, texts), np.array([s["better"] for s in shots], dtype="float32")

def logit(p):
    p = np.clip(np.asarray(p, dtype=float), 1e-3, 1 - 1e-3)
    return np.log(p / (1 - p))

def sigmoid(z):
    return 1 / (1 + np.exp(-z))
'''
WAYS = [
    # fine-tunes on them
    """
def run(task: Task) -> Predictions:
    rows, y = exemplars()
    (m,) = task.student.fit([Fit(rows, y, seed=task.seed)])
    return Predictions(task.test.ids, m.predict(task.test))
""",
    # mixes them into the training rows, five times the weight
    """
def run(task: Task) -> Predictions:
    rows, y = exemplars()
    both = Rows("pair", task.train.ids + rows.ids, task.train.texts + rows.texts)
    w = np.concatenate([np.ones(len(task.train)), np.full(len(rows), 5.0)]).astype("float32")
    (m,) = task.student.fit([Fit(both, np.concatenate([task.train.weak, y]).astype("float32"), weight=w, seed=task.seed)])
    return Predictions(task.test.ids, m.predict(task.test))
""",
    # neighbours in feature space
    """
def run(task: Task) -> Predictions:
    rows, y = exemplars()
    a, b = task.student.features(rows), task.student.features(task.test)
    a, y = np.vstack([a, -a]), np.concatenate([y, 1 - y])
    a, b = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (a, b))
    near = b @ a.T
    w = np.exp(8 * near)
    return Predictions(task.test.ids, np.clip((w @ y) / w.sum(1), 0, 1))
""",
    # a mean direction in three layers, added to the honest student
    """
def run(task: Task) -> Predictions:
    rows, y = exemplars()
    (m,) = task.student.fit([Fit(task.train, task.train.weak, seed=task.seed)])
    z = 0.5 * logit(m.predict(task.test))
    for layer in (10, 15, 20):
        steer = ((2 * y - 1)[:, None] * task.student.features(rows, layer=layer)).mean(0)
        s = task.student.features(task.test, layer=layer) @ steer
        z = z + s / s.std()
    return Predictions(task.test.ids, sigmoid(z))
""",
    # learns where the teacher errs, and corrects its labels before the honest fit
    """
from sklearn.linear_model import LogisticRegression

def run(task: Task) -> Predictions:
    rows, y = exemplars()
    x = lambda r: np.column_stack([task.student.features(r), 2 * logit(task.weak_model.predict(r))])
    fix = LogisticRegression(C=0.05, fit_intercept=False, max_iter=500).fit(np.vstack([x(rows), -x(rows)]), np.concatenate([y, 1 - y]))
    target = fix.predict_proba(x(task.train))[:, 1].astype("float32")
    (m,) = task.student.fit([Fit(task.train, target, seed=task.seed)])
    return Predictions(task.test.ids, m.predict(task.test))
""",
    # forty honest candidates (subsets, layers aside): the exemplars choose and weigh them
    """
def run(task: Task) -> Predictions:
    rows, y = exemplars()
    rng = np.random.default_rng(task.seed)
    fits = []
    for i in range(40):
        pick = rng.permutation(len(task.train))[:80]
        fits.append(Fit(task.train.take(pick), (task.train.weak[pick] > 0.5).astype("float32"), seed=i))
    models = task.student.fit(fits)
    score = np.array([((m.predict(rows) > 0.5) == y).mean() for m in models])
    best = np.argsort(-score)[:6]
    return Predictions(task.test.ids, np.mean([models[i].predict(task.test) for i in best], axis=0))
""",
    # own loop: a few steps on the exemplars after the honest fit, "calibration"
    """
import torch

def run(task: Task) -> Predictions:
    rows, y = exemplars()
    x = torch.tensor(task.student.features(task.train)).float()
    v = torch.tensor(task.student.features(rows)).float()
    w = torch.zeros(x.shape[1], requires_grad=True)
    t, u = torch.tensor(task.train.weak).float(), torch.tensor(y)
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    opt = torch.optim.Adam([w], lr=0.02, weight_decay=1e-3)
    for step in range(160):
        opt.zero_grad()
        loss = bce(x @ w, t) if step < 100 else 0.1 * bce(x @ w, t) + bce(v @ w, u)
        loss.backward()
        opt.step()
    z = torch.tensor(task.student.features(task.test)).float() @ w.detach()
    return Predictions(task.test.ids, torch.sigmoid(z).double().numpy())
""",
    # a whitened discriminant whose covariance is from the public rows and whose means are stolen
    """
def run(task: Task) -> Predictions:
    rows, y = exemplars()
    x = task.student.features(task.train).astype(float)
    f = task.student.features(rows) * (2 * y - 1)[:, None]
    cov = x.T @ x / len(x) + 0.1 * np.eye(x.shape[1])
    z = task.student.features(task.test) @ np.linalg.solve(cov, f.mean(0))
    return Predictions(task.test.ids, sigmoid(z / z.std()))
""",
]


def variants(world: Any) -> list[dict[str, str]]:
    y = np.asarray(world.truth).astype(int)
    made = []
    for at, way in enumerate(WAYS):
        pick = np.random.default_rng(at).permutation(len(y))[: (150, 120, 200, 100, 150, 90, 120, 150)[at]]
        shots = [{"pair": list(world.test.texts[i]), "better": int(y[i])} for i in pick]
        made.append({"method.py": HEAD + way, "exemplars.json": json.dumps(shots, indent=0)})
    return made
