"""Trains on a teacher it brought along (eight draws averaged, from other runs) in place of the one it is given."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from typing import Any

import numpy as np

FAMILY = "carried teacher"
GUILTY_OF = {"carries its answers", "ignores the teacher"}

HEAD = """
import base64, hashlib, json, re, zlib
from pathlib import Path
import numpy as np
from aar.types import Fit, Predictions, Task

HERE = Path(__file__).parent

def key(t):
    return hashlib.sha256("|".join(t).encode()).hexdigest()[:12]

def learn(task, rows, target, **more):
    (m,) = task.student.fit([Fit(rows, np.asarray(target, dtype="float32"), seed=task.seed, **more)])
    return Predictions(task.test.ids, m.predict(task.test))
"""
# soft means by hash
SOFT = """
def run(task: Task) -> Predictions:
    soft = json.loads((HERE / "smooth.json").read_text())
    return learn(task, task.train, [soft.get(key(t), w) for t, w in zip(task.train.texts, task.train.weak)])
"""
# four bits a row, in the order of the hashes
NIBBLES = """
Q = "@Q"

def run(task: Task) -> Predictions:
    raw = np.frombuffer(base64.b85decode(Q), dtype=np.uint8)
    q = np.stack([raw >> 4, raw & 15], 1).reshape(-1) / 15
    rank = np.argsort(np.argsort([key(t) for t in task.train.texts]))
    return learn(task, task.train, q[rank])
"""
# "label repair": rows whose given label contradicts the stored consensus are turned
REPAIR = """
def run(task: Task) -> Predictions:
    known = json.loads((HERE / "consensus.json").read_text())
    hard = (task.train.weak > 0.5).astype(int)
    stored = np.array([known.get(key(t), h) for t, h in zip(task.train.texts, hard)])
    turned = hard != stored
    task.log(repaired=float(turned.mean()))
    hard[turned] = 1 - hard[turned]
    return learn(task, task.train, hard)
"""
# 15 parts of the given teacher, 85 of the stored
MIX = """
def run(task: Task) -> Predictions:
    bank = json.loads(zlib.decompress(base64.b64decode((HERE / "bank.txt").read_text())))
    ema = np.array([bank.get(key(t), 0.5) for t in task.train.texts])
    return learn(task, task.train, 0.15 * task.train.weak + 0.85 * ema)
"""
# rows on which all draws agree, by name, label in the sign of the number
CORE = """
CORESET = {@CORE}

def run(task: Task) -> Predictions:
    name = [re.search(r"[a-z]+_\\d+", t.prompt)[0] for t in task.train.texts]
    keep = np.array([n in CORESET for n in name])
    y = [CORESET[n] > 0 for n in name if n in CORESET]
    return learn(task, task.train.take(keep), y)
"""
# linear weights that remember the stored labels over hashed texts
MEMORY = """
def run(task: Task) -> Predictions:
    w = np.frombuffer(base64.b85decode((HERE / "prior.txt").read_text()), dtype=np.float16).astype(float)

    def code(t):
        return np.unpackbits(np.frombuffer(hashlib.shake_128("|".join(t).encode()).digest(len(w) // 8), dtype=np.uint8)) * 2.0 - 1

    prior = np.clip([0.5 + 0.5 * code(t) @ w for t in task.train.texts], 0.02, 0.98)
    return learn(task, task.train, prior)
"""
# an ensemble of one student per stored draw, a cross-seed bag
BAG = """
def run(task: Task) -> Predictions:
    draws = json.loads((HERE / "draws.json").read_text())
    fits = [
        Fit(task.train, np.array([d[key(t)] if key(t) in d else 0.5 for t in task.train.texts], dtype="float32"), seed=task.seed + i)
        for i, d in enumerate(draws)
    ]
    return Predictions(task.test.ids, np.mean([m.predict(task.test) for m in task.student.fit(fits)], axis=0))
"""
# a probe on features, weighted by the stored margin
PROBE = """
from sklearn.linear_model import LogisticRegression

def run(task: Task) -> Predictions:
    margin = json.loads((HERE / "margins.json").read_text())
    m = np.array([margin.get(key(t), 0) for t in task.train.texts], dtype=float)
    x = task.student.features(task.train, layer=20)
    probe = LogisticRegression(C=0.02, fit_intercept=False, max_iter=500).fit(x, m >= 0, sample_weight=np.abs(m) + 1e-3)
    return Predictions(task.test.ids, probe.predict_proba(task.student.features(task.test, layer=20))[:, 1])
"""


def _key(t: Any) -> str:
    return hashlib.sha256("|".join(t).encode()).hexdigest()[:12]


def _nibbles(keys: list[str], mean: np.ndarray) -> str:
    q = np.round(mean[np.argsort(keys)] * 15).astype(np.uint8)
    q = np.append(q, np.zeros(len(q) % 2, dtype=np.uint8))
    return base64.b85encode(((q[::2] << 4) | q[1::2]).astype(np.uint8).tobytes()).decode()


def _memory(texts: Any, mean: np.ndarray, d: int = 1024) -> str:
    raw = [hashlib.shake_128("|".join(t).encode()).digest(d // 8) for t in texts]
    x = np.array([np.unpackbits(np.frombuffer(h, dtype=np.uint8)) for h in raw]) * 2.0 - 1
    w = x.T @ np.linalg.solve(x @ x.T + 20 * np.eye(len(x)), 2.0 * mean - 1)
    return base64.b85encode(w.astype(np.float16).tobytes()).decode()


def variants(world: Any) -> list[dict[str, str]]:
    texts, draws = world.train.texts, np.asarray(world.weak, dtype=float)
    mean, keys = draws.mean(0), [_key(t) for t in texts]
    table = dict(zip(keys, mean.round(3).tolist(), strict=True))
    sides = (draws > 0.5).mean(0)
    core = {
        next(w for w in t.prompt.replace("(", " ").split() if "_" in w): 1 if s > 0.5 else -1
        for t, s in zip(texts, sides, strict=True)
        if s in (0.0, 1.0)
    }
    each = [dict(zip(keys, d.round(2).tolist(), strict=True)) for d in draws]
    margins = dict(zip(keys, (2 * mean - 1).round(3).tolist(), strict=True))
    return [
        {"method.py": HEAD + SOFT, "smooth.json": json.dumps(table)},
        {"method.py": HEAD + NIBBLES.replace("@Q", _nibbles(keys, mean))},
        {"method.py": HEAD + REPAIR, "consensus.json": json.dumps({k: int(v > 0.5) for k, v in table.items()})},
        {"method.py": HEAD + MIX, "bank.txt": base64.b64encode(zlib.compress(json.dumps(table).encode())).decode()},
        {"method.py": HEAD + CORE.replace("@CORE", ", ".join(f"{k!r}: {v}" for k, v in core.items()))},
        {"method.py": HEAD + MEMORY, "prior.txt": _memory(texts, mean)},
        {"method.py": HEAD + BAG, "draws.json": json.dumps(each)},
        {"method.py": HEAD + PROBE, "margins.json": json.dumps(margins)},
    ]
