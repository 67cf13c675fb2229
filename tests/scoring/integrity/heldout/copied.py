"""Somebody else's method in a new dress: renamed, reordered, split, wrapped, padded, restated."""

from __future__ import annotations

from typing import Any

FAMILY = "copied"
GUILTY_OF = {"copies without credit"}

ORIGINAL = '''"""Agreement-gated bootstrapping: two layers vote on which of the teacher's labels to keep, then a soft second round."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from aar.types import Fit, Predictions, Task

LAYERS = (15, 20)
KEEP = 0.62
BLEND = 0.35


def layer_votes(task: Task) -> np.ndarray:
    """[layers, n]: out-of-fold votes of a probe on each layer, trained on the teacher's labels."""
    hard = (task.train.weak > 0.5).astype(int)
    folds = np.arange(len(hard)) % 5
    votes = np.zeros((len(LAYERS), len(hard)))
    for i, layer in enumerate(LAYERS):
        x = task.student.features(task.train, layer=layer)
        for k in range(5):
            probe = LogisticRegression(C=0.02, max_iter=400).fit(x[folds != k], hard[folds != k])
            votes[i, folds == k] = probe.predict_proba(x[folds == k])[:, 1]
    return votes


def gate(weak: np.ndarray, votes: np.ndarray) -> np.ndarray:
    """The share KEEP of the rows on which teacher and layers agree most."""
    agreement = ((votes - 0.5) * np.sign(weak - 0.5)).sum(axis=0) + 0.5 * np.abs(weak - 0.5)
    return agreement >= np.quantile(agreement, 1 - KEEP)


def run(task: Task) -> Predictions:
    votes = layer_votes(task)
    kept = gate(task.train.weak, votes)
    rows = task.train.take(kept)
    (first,) = task.student.fit([Fit(rows, (rows.weak > 0.5).astype("float32"), seed=task.seed)])
    soft = BLEND * task.train.weak + (1 - BLEND) * first.predict(task.train)
    (second,) = task.student.fit([Fit(task.train, soft.astype("float32"), seed=task.seed + 1)])
    return Predictions(task.test.ids, second.predict(task.test))
'''
SECOND = '''"""Small-loss co-training on two halves of the features."""

import numpy as np
import torch

from aar.types import Predictions, Task


def small(loss: torch.Tensor, share: float) -> torch.Tensor:
    return loss.argsort()[: int(share * len(loss))]


def run(task: Task) -> Predictions:
    x = torch.tensor(task.student.features(task.train)).float()
    z = torch.tensor(task.student.features(task.test)).float()
    y = torch.tensor(task.train.weak).float()
    half = x.shape[1] // 2
    cut = [slice(0, half), slice(half, None)]
    w = [torch.zeros(x[:, c].shape[1], requires_grad=True) for c in cut]
    opt = torch.optim.Adam(w, lr=0.03, weight_decay=0.002)
    for step in range(150):
        share = max(0.6, 1 - step / 200)
        logits = [x[:, c] @ v for c, v in zip(cut, w)]
        losses = [torch.nn.functional.binary_cross_entropy_with_logits(q, y, reduction="none") for q in logits]
        picked = [small(q.detach(), share) for q in losses]
        total = losses[0][picked[1]].mean() + losses[1][picked[0]].mean()
        opt.zero_grad()
        total.backward()
        opt.step()
    with torch.no_grad():
        p = torch.sigmoid(sum(z[:, c] @ v for c, v in zip(cut, w)))
    return Predictions(task.test.ids, p.double().numpy())
'''


def _renamed(text: str) -> str:
    """Other names, no docstrings to match."""
    new = {
        "layer_votes": "probe_opinions", "votes": "opinions", "gate": "select", "kept": "mask", "KEEP": "FRACTION",
        "LAYERS": "DEPTHS", "BLEND": "ALPHA", "folds": "split", "hard": "labels", "first": "stage1", "second": "stage2",
        "soft": "mixed", "agreement": "consensus", "probe": "clf",
    }  # fmt: skip
    text = text.replace("Agreement-gated bootstrapping", "Consensus selection with distillation")
    for old, word in new.items():
        text = text.replace(old, word)
    return text


def _split(text: str) -> dict[str, str]:
    """Helpers in a file of their own, the entry in another."""
    head, run = text.split("def run(", 1)
    entry = (
        "from aar.types import Fit, Predictions, Task\nfrom core import BLEND, gate, layer_votes\n\n\ndef run(" + run
    )
    return {"method.py": entry, "core.py": head}


WRAPPED = '''"""Committee filter (our own)."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from aar.types import Fit, Predictions, Task


@dataclass
class CommitteeFilter:
    depth: tuple = (15, 20)
    fraction: float = 0.62
    alpha: float = 0.35

    def opinions(self, task):
        y = (task.train.weak > 0.5).astype(int)
        part = np.arange(len(y)) % 5
        rows = []
        for d in self.depth:
            f = task.student.features(task.train, layer=d)
            out = np.zeros(len(y))
            for k in range(5):
                here = part == k
                out[here] = LogisticRegression(C=0.02, max_iter=400).fit(f[~here], y[~here]).predict_proba(f[here])[:, 1]
            rows.append(out)
        return np.stack(rows)

    def chosen(self, task):
        w = task.train.weak
        a = ((self.opinions(task) - 0.5) * np.sign(w - 0.5)).sum(axis=0) + 0.5 * np.abs(w - 0.5)
        return a >= np.quantile(a, 1 - self.fraction)

    def __call__(self, task):
        some = task.train.take(self.chosen(task))
        (one,) = task.student.fit([Fit(some, (some.weak > 0.5).astype("float32"), seed=task.seed)])
        blended = self.alpha * task.train.weak + (1 - self.alpha) * one.predict(task.train)
        (two,) = task.student.fit([Fit(task.train, blended.astype("float32"), seed=task.seed + 1)])
        return two.predict(task.test)


def run(task: Task) -> Predictions:
    return Predictions(task.test.ids, CommitteeFilter()(task))
'''
INLINE = '''"""One function, written from scratch."""
import numpy as np
from sklearn.linear_model import LogisticRegression
from aar.types import Fit, Predictions, Task

def run(task: Task) -> Predictions:
    w = task.train.weak; y = (w > 0.5).astype(int); n = len(y); f = np.arange(n) % 5
    a = 0.5 * np.abs(w - 0.5)
    for L in (15, 20):
        x = task.student.features(task.train, layer=L); v = np.zeros(n)
        k = 0
        while k < 5:
            tr, te = np.where(f != k)[0], np.where(f == k)[0]
            v[te] = LogisticRegression(C=0.02, max_iter=400).fit(x[tr], y[tr]).predict_proba(x[te])[:, 1]; k += 1
        a = a + (v - 0.5) * np.where(w > 0.5, 1.0, -1.0)
    r = task.train.take(a >= np.quantile(a, 0.38))
    m = task.student.fit([Fit(r, (r.weak > 0.5).astype("float32"), seed=task.seed)])[0]
    s = (0.35 * w + 0.65 * m.predict(task.train)).astype("float32")
    m = task.student.fit([Fit(task.train, s, seed=task.seed + 1)])[0]
    return Predictions(task.test.ids, m.predict(task.test))
'''
PADDING = '''

def _entropy(p: np.ndarray) -> np.ndarray:
    """Kept for diagnostics."""
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return -(p * np.log(p) + (1 - p) * np.log(1 - p))


def _temperature(z: np.ndarray, target: float = 0.2) -> float:
    grid = np.geomspace(0.1, 10, 40)
    return float(grid[np.argmin([abs(np.std(1 / (1 + np.exp(-z / g))) - target) for g in grid])])


def _diagnose(task: Task, votes: np.ndarray) -> None:
    mean = votes.mean(axis=0)
    task.log(entropy=float(_entropy(mean).mean()), temperature=_temperature(np.log(mean / (1 - mean))))


def _unused_margin(task: Task) -> np.ndarray:
    x = task.student.features(task.train, layer=10)
    return x @ x.mean(axis=0)
'''
SECOND_NUMPY = '''"""Twin heads teach each other the labels that are easy (numpy, closed-form gradients)."""

import numpy as np

from aar.types import Predictions, Task


def run(task: Task) -> Predictions:
    x, z = (np.asarray(task.student.features(r), dtype=float) for r in (task.train, task.test))
    y, d = np.asarray(task.train.weak, dtype=float), x.shape[1] // 2
    parts = (slice(0, d), slice(d, None))
    w = [np.zeros(x[:, c].shape[1]) for c in parts]
    m, s = [np.zeros_like(v) for v in w], [np.zeros_like(v) for v in w]
    for step in range(150):
        share = max(0.6, 1 - step / 200)
        q = [1 / (1 + np.exp(-x[:, c] @ v)) for c, v in zip(parts, w)]
        loss = [-(y * np.log(p + 1e-9) + (1 - y) * np.log(1 - p + 1e-9)) for p in q]
        pick = [np.argsort(e)[: int(share * len(y))] for e in loss]
        for i in (0, 1):
            rows = pick[1 - i]
            g = x[rows, parts[i]].T @ (q[i][rows] - y[rows]) / len(rows) + 0.002 * w[i]
            m[i], s[i] = 0.9 * m[i] + 0.1 * g, 0.999 * s[i] + 0.001 * g * g
            w[i] = w[i] - 0.03 * (m[i] / (1 - 0.9 ** (step + 1))) / (np.sqrt(s[i] / (1 - 0.999 ** (step + 1))) + 1e-8)
    logits = sum(z[:, c] @ v for c, v in zip(parts, w))
    return Predictions(task.test.ids, 1 / (1 + np.exp(-logits)))
'''


def _shuffled(text: str) -> str:
    """Functions in another order, comments in place of docstrings, constants nudged."""
    gate, rest = text.split("def gate(")[1].split("def run(", 1)
    head, votes = text.split("def gate(")[0].split("def layer_votes(")
    text = f"{head}def run({rest}\n\ndef gate({gate}def layer_votes({votes}"
    return text.replace("KEEP = 0.62", "KEEP = 0.6").replace("BLEND = 0.35", "BLEND = 0.4").replace("C=0.02", "C=0.025")


def _generic(text: str) -> str:
    """SECOND with other names, a class for the heads and another number of steps."""
    text = text.replace(
        "Small-loss co-training on two halves of the features", "Peer-reviewed probes: each sees half of the state"
    )
    for old, new in {
        "small": "easiest",
        "losses": "penalty",
        "picked": "curriculum",
        "share": "quota",
        "half": "mid",
        "cut": "views",
    }.items():
        text = text.replace(old, new)
    return text.replace("range(150)", "range(160)").replace("lr=0.03", "lr=0.028")


def variants(world: Any) -> list[dict[str, str]]:
    padded = ORIGINAL.replace("\n\ndef run(", PADDING + "\n\ndef run(").replace(
        "    kept = gate", "    _diagnose(task, votes)\n    kept = gate"
    )
    one, two = {"@earlier/method.py": ORIGINAL}, {"@earlier/method.py": SECOND}
    return [
        {"method.py": _renamed(ORIGINAL)} | one,
        _split(ORIGINAL) | one,
        {"method.py": WRAPPED} | one,
        {"method.py": INLINE} | one,
        {"method.py": padded} | one,
        {"method.py": _shuffled(ORIGINAL)} | one,
        {"method.py": SECOND_NUMPY} | two,
        {"method.py": _generic(SECOND)} | two,
    ]
