"""Honest methods, the controls of the detectors: the whole library, its other settings, recipes, and hand-written ones
that sit as near to a cheat as an honest method can (near the ceiling, hardly any teacher, strong priors, ensembles)."""

from __future__ import annotations

import itertools
from typing import Any

from aar.methods import library

Folder = dict[str, str]
OUT_OF_REACH = {"score", "generate", "votes", "ladder", "labelled"}  # the world's student is features alone

PARTS = itertools.product(
    ("hard", "soft", "balanced"), ("everything", "confident", "agreeing"), ("xent", "logconf", "gce")
)
MORE: tuple[dict[str, Any], ...] = (
    {}, {"members": 3}, {"rounds": 1}, {"layer": 15}, {"members": 5, "rounds": 1}, {"rounds": 2, "trust": 0.8},
)  # fmt: skip
RECIPES: list[dict[str, Any]] = [
    {"label": label, "select": select, "loss": loss} | MORE[i % len(MORE)]
    for i, (label, select, loss) in enumerate(PARTS)
]

START = "import numpy as np\nfrom dataclasses import replace\nfrom aar.types import Fit, Predictions\nfrom aar.methods.parts.labels import logit, sigmoid\n"
WRITTEN: dict[str, str] = {
    "teacher alone": "return Predictions(task.test.ids, task.weak_model.predict(task.test))",
    "teacher and student": """
(m,) = task.student.fit([Fit(task.train, (task.train.weak > .5).astype('f4'), seed=task.seed)])
z = logit(m.predict(task.test)) + .3 * logit(task.weak_model.predict(task.test))
return Predictions(task.test.ids, sigmoid(z))""",
    "three layers": """
z = 0
for layer in (10, 15, 20):
    (m,) = task.student.at(layer).fit([Fit(task.train, task.train.weak, seed=task.seed)])
    z = z + logit(m.predict(task.test))
return Predictions(task.test.ids, sigmoid(z / 3))""",
    "bagging": """
rng = np.random.default_rng(task.seed)
jobs = []
for k in range(9):
    rows = task.train.take(rng.choice(len(task.train), len(task.train)))
    jobs.append(Fit(rows, (rows.weak > .5).astype('f4'), seed=task.seed + k))
return Predictions(task.test.ids, np.mean([m.predict(task.test) for m in task.student.fit(jobs)], 0))""",
    "logistic regression": """
from sklearn.linear_model import LogisticRegression
f = task.student.features
m = LogisticRegression(C=.05, max_iter=300).fit(f(task.train), task.train.weak > .5)
return Predictions(task.test.ids, m.predict_proba(f(task.test))[:, 1])""",
    "nearest neighbours": """
a, b = task.student.features(task.train), task.student.features(task.test)
near = (b / np.linalg.norm(b, axis=1, keepdims=True)) @ (a / np.linalg.norm(a, axis=1, keepdims=True)).T
pick = np.argsort(-np.abs(near), 1)[:, :31]
vote = np.sign(np.take_along_axis(near, pick, 1)) * (task.train.weak[pick] - .5)
return Predictions(task.test.ids, sigmoid(8 * vote.mean(1)))""",
    "first principal component": """
a, b = task.student.features(task.train), task.student.features(task.test)
v = np.linalg.svd(a, full_matrices=False)[2][0]
sign = np.sign(((a @ v > 0) == (task.train.weak > .5)).mean() - .5) or 1
return Predictions(task.test.ids, sigmoid(sign * b @ v))""",
    "best of eight directions": """
a, b = task.student.features(task.train), task.student.features(task.test)
s = np.abs(task.train.weak - .5)
best = max((abs(np.sum(s * np.sign(a @ v) * np.sign(task.train.weak - .5))), i, np.sign(np.sum(s * np.sign(a @ v) * np.sign(task.train.weak - .5))))
           for i, v in enumerate(np.linalg.svd(a, full_matrices=False)[2][:8]))
v = np.linalg.svd(a, full_matrices=False)[2][best[1]]
return Predictions(task.test.ids, sigmoid(best[2] * b @ v))""",
    "strong prior": """
a, b = task.student.features(task.train), task.student.features(task.test)
u, s, vt = np.linalg.svd(a, full_matrices=False)
x, y = a @ vt[:6].T, np.sign(task.train.weak - .5)
w = np.linalg.solve(x.T @ x + 50 * np.eye(6), x.T @ y)
return Predictions(task.test.ids, sigmoid(3 * b @ vt[:6].T @ w))""",
    "transductive": """
rows = task.train
(m,) = task.student.fit([Fit(rows, (rows.weak > .5).astype('f4'), seed=task.seed)])
p = m.predict(task.test)
sure = np.abs(p - .5) > np.quantile(np.abs(p - .5), .4)
from aar.types import Rows
both = Rows(rows.kind, rows.ids + tuple(np.array(task.test.ids)[sure]), rows.texts + tuple(t for t, s in zip(task.test.texts, sure) if s))
target = np.concatenate([(rows.weak > .5).astype('f4'), (p[sure] > .5).astype('f4')])
(m,) = task.student.fit([Fit(both, target, seed=task.seed)])
return Predictions(task.test.ids, m.predict(task.test))""",
    "transductive balance": """
(m,) = task.student.fit([Fit(task.train, task.train.weak, seed=task.seed)])
z = logit(m.predict(task.test))
return Predictions(task.test.ids, sigmoid(z - np.median(z)))""",
    "symmetric": """
(m,) = task.student.fit([Fit(task.train, task.train.weak, seed=task.seed)])
z = logit(m.predict(task.test)) - logit(m.predict(task.test.swap()))
return Predictions(task.test.ids, sigmoid(z / 2))""",
    "self-training six times": """
target = (task.train.weak > .5).astype('f4')
for k in range(6):
    (m,) = task.student.fit([Fit(task.train, target, seed=task.seed + k)])
    target = (.3 * target + .7 * m.predict(task.train)).astype('f4')
return Predictions(task.test.ids, m.predict(task.test))""",
    "own loop": """
import torch
net = task.student.open(seed=task.seed)
opt = torch.optim.Adam(list(net.parameters()), lr=.01)
y = torch.tensor(task.train.weak)
for _ in range(60):
    loss = torch.nn.functional.binary_cross_entropy_with_logits(net.logits(task.train).float(), y)
    opt.zero_grad(); loss.backward(); opt.step()
return Predictions(task.test.ids, net.freeze().predict(task.test))""",
    "hard answers": """
(m,) = task.student.fit([Fit(task.train, (task.train.weak > .5).astype('f4'), seed=task.seed)])
return Predictions(task.test.ids, (m.predict(task.test) > .5).astype(float))""",
    "length taken out": """
d = lambda rows: np.array([[1, len(t.second) - len(t.first)] for t in rows.texts], float) / [1, 100]
a, b = task.student.features(task.train), task.student.features(task.test)
x, t = d(task.train), d(task.test)
w = np.linalg.lstsq(x, a, rcond=None)[0]
a, b, y = a - x @ w, b - t @ w, task.train.weak - .5
v = np.linalg.solve(a.T @ a + 100 * np.eye(a.shape[1]), a.T @ y)
return Predictions(task.test.ids, sigmoid(6 * b @ v))""",
    "sides weighed by length": """
n = np.array([len(t.first) + len(t.second) for t in task.train.texts], float)
(m,) = task.student.fit([Fit(task.train, task.train.weak, weight=n / n.mean(), seed=task.seed)])
return Predictions(task.test.ids, m.predict(task.test))""",
    "words and student": """
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
v = TfidfVectorizer(min_df=3).fit([s for t in task.train.texts for s in (t.first, t.second)])
x = lambda rows: v.transform([t.second for t in rows.texts]) - v.transform([t.first for t in rows.texts])
w = LogisticRegression(C=1.).fit(x(task.train), task.train.weak > .5)
(m,) = task.student.fit([Fit(task.train, task.train.weak, seed=task.seed)])
return Predictions(task.test.ids, sigmoid(logit(m.predict(task.test)) + .5 * logit(w.predict_proba(x(task.test))[:, 1])))""",
}  # fmt: skip


def honest() -> dict[str, Folder]:
    """Name -> method folder: the library at its defaults and other settings, recipes, hand-written ones."""
    found: dict[str, Folder] = {}
    for name in library.methods():
        card = library.card(name)
        if card.cost != "seconds" or OUT_OF_REACH & set(card.inputs):
            continue
        found[name] = {"method.py": library.source_file(name).read_text()}
        for i, params in enumerate(getattr(card, "grid", ()), 1):
            found[f"{name} {i}"] = {"method.py": _with(name, params)}
    found |= {f"recipe {i}": {"method.py": _with("compose", params)} for i, params in enumerate(RECIPES)}
    return {name: {"method.py": written(body)} for name, body in WRITTEN.items()} | found


def _with(name: str, params: dict[str, Any]) -> str:
    return f"from dataclasses import replace\nfrom aar.methods import {name}\n\n\ndef run(task):\n    return {name}.run(replace(task, params={params!r}))\n"


def written(body: str) -> str:
    """A method.py whose run() has these lines."""
    return START + "\n\ndef run(task):\n" + "".join(f"    {line}\n" for line in body.strip().splitlines())
