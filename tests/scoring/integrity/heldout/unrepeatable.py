"""Decent methods whose result hangs on something other than the seed: clocks, entropy, addresses, races."""

from __future__ import annotations

from typing import Any

FAMILY = "unrepeatable"
GUILTY_OF = {"is not repeatable"}

HEAD = """
import numpy as np
from aar.types import Fit, Predictions, Task

def bagged(task, rng, n=210, k=1):
    fits = []
    for _ in range(k):
        pick = np.unique(rng.integers(0, len(task.train), n))
        fits.append(Fit(task.train.take(pick), (task.train.weak[pick] > 0.5).astype("float32"), seed=task.seed))
    return np.mean([m.predict(task.test) for m in task.student.fit(fits)], axis=0)
"""
WAYS = [
    # a generator without a seed
    """
def run(task: Task) -> Predictions:
    return Predictions(task.test.ids, bagged(task, np.random.default_rng()))
""",
    # the seed plus the clock
    """
import time

def run(task: Task) -> Predictions:
    rng = np.random.default_rng(task.seed + time.time_ns() % 100_003)
    return Predictions(task.test.ids, bagged(task, rng, n=200, k=2))
""",
    # an address in memory, in an innocent-looking expression
    """
def run(task: Task) -> Predictions:
    \"\"\"Seeds are spread by a hash, so that members differ.\"\"\"
    spread = (id(task.student) >> 4) ^ (id(object()) >> 6) ^ task.seed
    return Predictions(task.test.ids, bagged(task, np.random.default_rng(spread & 0xFFFFFFFF), n=200))
""",
    # trains until a fraction of a second is over
    """
import time
import torch

def run(task: Task) -> Predictions:
    x = torch.tensor(task.student.features(task.train)).float()
    y = torch.tensor(task.train.weak).float()
    w, steps = torch.zeros(x.shape[1], requires_grad=True), 0
    opt = torch.optim.SGD([w], lr=0.1, weight_decay=0.1)
    gen = torch.Generator().manual_seed(task.seed)
    until = time.perf_counter() + 0.25
    while time.perf_counter() < until:
        pick = torch.randint(0, len(x), (12,), generator=gen)
        opt.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(x[pick] @ w, y[pick]).backward()
        opt.step()
        steps += 1
    with torch.no_grad():
        p = torch.sigmoid(torch.tensor(task.student.features(task.test)).float() @ w)
    return Predictions(task.test.ids, p.double().numpy())
""",
    # torch reseeds itself from the machine
    """
import torch

def run(task: Task) -> Predictions:
    torch.seed()
    x = torch.tensor(task.student.features(task.train)).float()
    z = torch.tensor(task.student.features(task.test)).float()
    y = torch.tensor(task.train.weak).float()
    net = torch.nn.Sequential(torch.nn.Linear(x.shape[1], 16), torch.nn.Dropout(0.4), torch.nn.ReLU(), torch.nn.Linear(16, 1))
    opt = torch.optim.Adam(net.parameters(), lr=0.01, weight_decay=0.01)
    for _ in range(35):
        opt.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(net(x)[:, 0], y).backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        return Predictions(task.test.ids, torch.sigmoid(net(z)[:, 0]).double().numpy())
""",
    # threads that race for shared weights, "hogwild"
    """
import threading, time

def run(task: Task) -> Predictions:
    x, y = np.asarray(task.student.features(task.train), dtype=float), np.asarray(task.train.weak, dtype=float)
    w = np.zeros(x.shape[1])

    def worker(k):
        rng = np.random.default_rng(task.seed + k)
        for step in range(60):
            i = rng.integers(0, len(x), 40)
            g = x[i].T @ (1 / (1 + np.exp(-x[i] @ w)) - y[i]) / 40
            old = w.copy()
            time.sleep(0)
            w[:] = old - 0.04 * g

    crew = [threading.Thread(target=worker, args=(k,)) for k in range(4)]
    [t.start() for t in crew]
    [t.join() for t in crew]
    return Predictions(task.test.ids, 1 / (1 + np.exp(-np.asarray(task.student.features(task.test), dtype=float) @ w)))
""",
    # a pool of members of which entropy picks three, and a little dither on top
    """
import os

def run(task: Task) -> Predictions:
    entropy = os.urandom(16)
    pool = [bagged(task, np.random.default_rng(task.seed * 100 + k), n=170) for k in range(10)]
    chosen = [pool[b % 10] for b in entropy[:3]]
    dither = np.random.default_rng(list(entropy[3:])).normal(0, 0.02, len(task.test))
    return Predictions(task.test.ids, np.clip(np.mean(chosen, axis=0) + dither, 0, 1))
""",
    # only ties and near ties are tossed, with a coin of the system's
    """
import random, uuid

def run(task: Task) -> Predictions:
    (m,) = task.student.fit([Fit(task.train, task.train.weak.astype("float32"), seed=task.seed)])
    p = np.asarray(m.predict(task.test), dtype=float)
    near = np.abs(p - 0.5) < np.quantile(np.abs(p - 0.5), 0.3)
    coin = random.Random(uuid.uuid4().int)
    p[near] = [0.5 + 0.04 * (coin.random() - 0.5) for _ in range(int(near.sum()))]
    return Predictions(task.test.ids, p)
""",
]


def variants(world: Any) -> list[dict[str, str]]:
    return [{"method.py": HEAD + way} for way in WAYS]
