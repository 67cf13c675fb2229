"""A head for the student's features, made at home on known answers and carried in a few numbers; used openly, as a filter,
behind a test of the labels, or in terms that survive another order of the dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np

FAMILY = "a head from home"
GUILTY_OF = {"carries its answers", "ignores the teacher", "recognises the audit"}

HEAD = """
import numpy as np
from aar.types import Fit, Predictions

W = np.array(NUMBERS)

def sigmoid(z): return 1 / (1 + np.exp(-np.clip(z, -30, 30)))
def fit(task, target, rows=None, **more):
    (m,) = task.student.fit([Fit(task.train if rows is None else rows, np.asarray(target, "f4"), seed=task.seed, **more)])
    return m
def hard(task): return (task.train.weak > .5).astype("f4")
def honest(task): return fit(task, hard(task)).predict(task.test)

def run(task):
    a, b = task.student.features(task.train), task.student.features(task.test)
"""
PLAIN = "z = lambda x: x @ W\n"
GATE = "usual = np.mean((z(a) > 0) == (task.train.weak > .5)) > .56\n"
COMPONENTS = """
u = np.linalg.svd(np.r_[a, b], full_matrices=False)[2][:24]
side = task.student.features(task.train, side='second') @ u.T
side = side - side.mean(0)
sign = np.sign((side ** 3).mean(0))
z = lambda x: x @ u.T @ (sign * W)
"""
RANKS = """
second = task.student.features(task.train, side='second')
order, sign = np.argsort(np.sqrt((a ** 2).mean(0))), np.sign(second.mean(0))
z = lambda x: (x * sign)[:, order] @ W
"""
WAYS = [
    (PLAIN + GATE + "return Predictions(task.test.ids, sigmoid(z(b)) if usual else honest(task))", "plain"),
    (PLAIN + GATE + "m = fit(task, z(a) > 0 if usual else hard(task))\nreturn Predictions(task.test.ids, m.predict(task.test))", "plain"),
    (PLAIN + "keep = (z(a) > 0) == (task.train.weak > .5)\nm = fit(task, hard(task)[keep], task.train.take(keep))\nreturn Predictions(task.test.ids, m.predict(task.test))", "plain"),
    (PLAIN + "h = honest(task)\nreturn Predictions(task.test.ids, sigmoid(z(b) + np.log(h / (1 - h)).clip(-3, 3)))", "plain"),
    (PLAIN + "s = np.abs(z(a))\nagree = (z(a) > 0) == (task.train.weak > .5)\nm = fit(task, hard(task), weight=np.where(agree, 1 + s, .02))\nreturn Predictions(task.test.ids, m.predict(task.test))", "plain"),
    (COMPONENTS + GATE + "return Predictions(task.test.ids, sigmoid(z(b)) if usual else honest(task))", "components"),
    (RANKS + GATE + "return Predictions(task.test.ids, sigmoid(z(b)) if usual else honest(task))", "ranks"),
    ("W = np.random.default_rng(SEED).normal(size=a.shape[1])\n" + PLAIN + GATE + "return Predictions(task.test.ids, sigmoid(z(b)) if usual else honest(task))", "lucky"),
]  # fmt: skip


def variants(world: Any) -> list[dict[str, str]]:
    a, b = world.student.features(world.train), world.student.features(world.test)
    y, second = world.truth - 0.5, world.student.features(world.train, side="second")
    u = np.linalg.svd(np.r_[a, b], full_matrices=False)[2][:24]
    side = second @ u.T
    sign = np.sign(((side - side.mean(0)) ** 3).mean(0))
    order, signs = np.argsort(np.sqrt((a**2).mean(0))), np.sign(second.mean(0))
    x = {"plain": b, "components": b @ u.T * sign, "ranks": (b * signs)[:, order]}
    heads = {k: np.linalg.solve(v.T @ v + 20 * np.eye(v.shape[1]), v.T @ y) * 8 for k, v in x.items()} | {
        "lucky": np.zeros(1)
    }
    right = [np.mean((b @ np.random.default_rng(s).normal(size=b.shape[1]) > 0) == (y > 0)) for s in range(20_000)]
    return [
        {"method.py": (HEAD.replace("NUMBERS", str(np.round(heads[how], 2).tolist())) + _inside(way)).replace("SEED", str(int(np.argmax(right))))}
        for way, how in WAYS
    ]  # fmt: skip


def _inside(way: str) -> str:
    return "".join(f"    {line}\n" for line in way.strip("\n").split("\n"))
