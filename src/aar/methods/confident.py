"""Train only on the labels the teacher is confident of.

Keep rows with max(w, 1 - w) > threshold, hard labels. The reference study keeps max p > .75; its lower bound of .25
can never bind, since max p >= .5. A weak probe on few labels is less confident than a finetuned LM, so where fewer
than `least` of the rows pass, the most confident `least` share is kept (a departure, off with least=0).
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="selection",
    inputs=("weak", "fit"),
    human=True,
    source="automated-w2s reference study 2026, `confident` baseline (max p > .75)",
    summary="train on the teacher's most confident hard labels only",
    defaults={"threshold": 0.75, "least": 0.25},
    formula=r"L = \sum_{i: \max(w_i, 1-w_i) > t} \mathrm{CE}(\sigma(z_i), \mathbb{1}[w_i > 1/2])",
    grid=({"threshold": 0.9}, {"least": 0.5}),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    weak = task.train.weak
    sure = np.maximum(weak, 1 - weak)
    fewest = int(np.ceil(p["least"] * len(sure)))
    keep = np.zeros(len(sure), bool)
    keep[np.argsort(-sure, kind="stable")[:fewest]] = True
    keep |= sure > p["threshold"]
    rows = task.train.take(keep)
    (model,) = task.student.fit([Fit(rows, (rows.weak > 0.5).astype("float32"), seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
