"""AAR's "Overlap Density": score every row by four signs of a trustworthy label, keep the best half of each class.

s1 cross-fitted P(the given label | h); s2 share of the k nearest rows with the same label; s3 = 1 / mean distance to them;
s4 = -(H2(w) - ln 2 / 2)^2 / (2 width^2), highest for a teacher neither blind nor blindly sure (w about .11 or .89).
Each is brought to mean 0 and spread 1 before they are added.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts import neighbours as near
from aar.methods.parts.crossfit import out_of_fold
from aar.methods.parts.labels import hard, logit, sigmoid
from aar.methods.parts.selections import top_per_class
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="selection",
    inputs=("weak", "features", "fit"),
    source="automated-w2s study 2026, `Overlap Density` (PGR .75 there)",
    summary="keep the half of each class with the most trustworthy labels by four signs",
    defaults={"keep": 0.5, "k": 10, "width": 0.15, "a2": 1.0, "a3": 0.5, "a4": 0.5},
    formula=r"z(P(\tilde y \mid h)) + a_2 z(\text{kNN agreement}) + a_3 z(1 / \bar d_{\mathrm{kNN}}) + a_4 z\left(-\tfrac{(H_2(w) - \ln 2 / 2)^2}{2 \sigma^2}\right)",
    departs="a2, a3, a4, k and the width were not published: these are ours. P(label | h) is the student's own out-of-fold head",
    grid=({"keep": 0.7}, {"a3": 0.0, "a4": 0.0}),
)


def standard(value: np.ndarray) -> np.ndarray:
    """Mean 0, spread 1; nothing where all are alike."""
    return (value - value.mean()) / (value.std() + 1e-9)


def signs(task: Task, k: int, width: float) -> np.ndarray:
    """[4, n]: s1 to s4, before they are standardised."""
    label = hard(task)
    p = out_of_fold(task, label)
    h = near.features(task, task.train)
    cloud, own = near.cloud(h, label, task.kind), np.arange(len(h))
    distance, point = cloud.near(h, k, own)
    w = sigmoid(logit(np.asarray(task.train.weak, float)))
    entropy = -(w * np.log(w) + (1 - w) * np.log1p(-w))
    return np.stack([
        np.where(label > 0.5, p, 1 - p),
        (cloud.label[point] == label[:, None]).mean(1),
        1 / (distance.mean(1) + 1e-9),
        -((entropy - 0.5 * np.log(2)) ** 2) / (2 * width**2),
    ])  # fmt: skip


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    score = sum(
        a * standard(s) for a, s in zip((1, p["a2"], p["a3"], p["a4"]), signs(task, p["k"], p["width"]), strict=True)
    )
    label = hard(task)
    keep = top_per_class(np.asarray(score), label > 0.5, p["keep"])
    (model,) = task.student.fit([Fit(task.train.take(keep), label[keep], seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
