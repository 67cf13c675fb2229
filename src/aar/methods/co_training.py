"""Co-training: two views teach each other. The weak model's features are one view, the student's the other.

Both start from the teacher's surest rows. In each round a ridge probe in each view labels the rows that the other view's
pool lacks, and hands over its surest ones, as many of each class. What is in the student's pool at the end trains the
student. Assumes the views err apart; where the weak labels come from the weak view, that view brings little new.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.logistic import logistic
from aar.models.heads import spread
from aar.types import Fit, Kind, Predictions, Task

CARD = Card(
    family="combination",
    inputs=("weak", "features", "fit", "weak_model"),
    source="Blum & Mitchell 1998, doi:10.1145/279943.279962, table 1",
    summary="probes on the weak model's and on the student's features label rows for each other",
    defaults={"start": 0.3, "rounds": 6, "share": 0.1, "l2": 0.3},
    formula=r"P_{1} \leftarrow P_{1} \cup \mathrm{top}_k\, f_2,\quad P_{2} \leftarrow P_{2} \cup \mathrm{top}_k\, f_1",
    grid=({"start": 0.5}, {"l2": 1.0}),
)


def view_of(h: np.ndarray, kind: Kind) -> np.ndarray:
    """[n, d or d + 1]: features divided by their spread, with a constant for claims."""
    shift, scale = spread(h, kind)
    scaled = (h - shift) / scale / np.sqrt(h.shape[1])
    return scaled if kind == "pair" else np.hstack([scaled, np.ones((len(h), 1))])


def surest(z: np.ndarray, free: np.ndarray, k: int) -> np.ndarray:
    """Positions of the k highest and the k lowest scores z [n] among the free rows [n] bool, on their own side of 0."""
    order = np.flatnonzero(free)[np.argsort(z[free], kind="stable")]
    low, high = order[:k], order[::-1][:k]
    return np.concatenate([low[z[low] < 0], high[z[high] > 0]])


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    weak, n = task.train.weak, len(task.train)
    views = [view_of(m.features(task.train), task.kind) for m in (task.weak_model, task.student)]
    start = surest(weak - 0.5, np.ones(n, bool), int(np.ceil(p["start"] * n / 2)))
    labels = [np.full(n, -1.0) for _ in views]  # the pool of each view: 0, 1, or -1 for not in it
    for pool in labels:
        pool[start] = weak[start] > 0.5
    for _ in range(p["rounds"]):
        scores = []
        for x, pool in zip(views, labels, strict=True):
            b = logistic(x[pool >= 0], pool[pool >= 0], l2=p["l2"] / x.shape[1])
            scores.append(x @ b)
        for z, other in zip(scores, labels[::-1], strict=True):
            given = surest(z, other < 0, int(np.ceil(p["share"] * n / 2)))
            other[given] = z[given] > 0
    kept = labels[1] >= 0
    (model,) = task.student.fit([Fit(task.train.take(kept), labels[1][kept], seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
