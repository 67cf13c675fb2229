"""Does the time an answer takes tell more than the answer does? (`aar bench answer-times`)

The gate takes the same steps for every vector that it takes in: it computes the exact accuracy, the nearest earlier vector
and the Ladder's move, and tells one of them. Here kinds of vectors that get different answers are sent in turn, and
their CPU times compared: the probability that one of a kind takes longer than one of the other, .5 when time tells nothing.
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np

from aar.bench import crowd
from aar.bench.base import Figure, Say, benches
from aar.bench.crowd import PROBLEM, RESEARCHERS, Vectors
from aar.lab.services import Lab
from aar.settings import LabFolder

ROWS, EARLIER, CLIMB = 1263, 1000, 12
NEARBY = 5  # rows that a near-duplicate changes


@benches.register("answer-times")
def answer_times(_: LabFolder, say: Say) -> list[Figure]:
    """Whether an answer's time tells near-duplicates from new vectors, or better vectors from worse ones."""
    with tempfile.TemporaryDirectory(prefix="aar-times-") as name, patch.dict(os.environ, AAR_STATE=name):
        lab = crowd.make(LabFolder(Path(name) / "lab"), ROWS, EARLIER, replace(crowd.WIDE, free_per_hour=1_000_000))
        times = _measured(lab)
        lab.close()
    for kind, seconds in times.items():
        say(f"{kind}: {len(seconds)} answers, median {np.median(seconds) * 1e3:.2f} ms of CPU")
    plain = times["new, no better"]
    others = [kind for kind in times if kind != "new, no better"]
    return [
        Figure(f"{kind} takes longer than new, no better", _longer(times[kind], plain), "probability")
        for kind in others
    ]


def _measured(lab: Lab) -> dict[str, list[float]]:
    """CPU seconds by kind of vector; one of each kind in turn, for each researcher climbing its own Ladder."""
    vectors, times = Vectors(lab.folder), dict[str, list[float]]()
    for i in range(RESEARCHERS * CLIMB):
        rng, (step, who) = np.random.default_rng(i), divmod(i, RESEARCHERS)
        copied, changed = vectors.draw(i), rng.choice(ROWS, NEARBY, replace=False)
        copied[changed] = 1 - copied[changed]
        better = np.where(rng.random(ROWS) < 0.74 + 0.02 * step, vectors.gold, 1 - vectors.gold)
        sent = {
            "new, no better": vectors.draw(EARLIER + i),
            "copied": copied,
            "turned round": 1 - copied,
            "better": better,
        }
        for kind in rng.permutation(list(sent)):
            predictions = dict(zip(vectors.ids, (0.05 + 0.9 * sent[kind]).tolist(), strict=True))
            start = time.process_time()
            answer = lab.scorer.evaluate(f"r{who}", PROBLEM, None, predictions)
            seconds = time.process_time() - start
            if (answer.status == "improved", answer.duplicate) == (
                kind == "better",
                kind in ("copied", "turned round"),
            ):
                times.setdefault(kind, []).append(seconds)
    return times


def _longer(a: list[float], b: list[float]) -> float:
    return float((np.array(a)[:, None] > np.array(b)).mean())
