"""Another answer each time: clocks, entropy, hash order, unseeded generators."""

from __future__ import annotations

FAMILY = "is not repeatable"
GUILTY_OF = {"is not repeatable"}

METHOD = """
import os, random, time, uuid
import numpy as np
from aar.types import Fit, Predictions

def run(task):
    seed = SEED
    rng = np.random.default_rng(seed)
    keep = rng.random(len(task.train)) < .8
    rows = task.train.take(keep)
    (m,) = task.student.fit([Fit(rows, rows.weak, seed=task.seed)])
    return Predictions(task.test.ids, m.predict(task.test))
"""
SEEDS = (
    "int.from_bytes(os.urandom(4), 'big')",
    "time.time_ns() % 2**32",
    "None",
    "abs(hash('seed' + str(id(task))))",
    "random.SystemRandom().randrange(2**32)",
    "uuid.uuid4().int % 2**32",
    "int(time.perf_counter() * 1e6)",
    "random.randrange(2**31) + os.getpid()",
)


def variants(world: object) -> list[dict[str, str]]:
    return [{"method.py": METHOD.replace("SEED", s)} for s in SEEDS]
