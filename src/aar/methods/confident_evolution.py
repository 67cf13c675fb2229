"""Evolution towards a student that is sure and does not care about order, without labels, from a warmed start.

Antithetic perturbations of the trainable weights, fitness on 200 random training rows: see `parts/confidence.py` for it and
for what keeps it from collapsing. It moves the boundary to where rows are few.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.evolution import warmed
from aar.methods.parts.confidence import evolve
from aar.types import Predictions, Task

CARD = Card(
    family="search",
    inputs=("weak", "fit"),
    source="automated-w2s reference study 2026 (ES on LoRA-B); Qiu et al. 2025, arXiv:2509.24372",
    summary="evolve a warmed student towards sure, swap-consistent, balanced answers; no labels after the start",
    defaults={
        "population": 16,
        "iterations": 30,
        "sigma": 0.2,
        "alpha": 4.0,
        "batch": 200,
        "balance": 4.0,
        "sharpness": 2.0,
        "keep_length": True,
    },
    formula=r"f = \overline{(1 - |p - (1 - p')|)\,|2p - 1|} - \beta(\bar p - \pi)^2,\quad "
    r"\theta \leftarrow \theta + \alpha\,\overline{\tfrac{f^+ - f^-}{2\sigma}\,\delta}",
    departs="the balance term and the fixed length of the weights guard a fitness that any sure student maximises",
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    hard = (task.train.weak > 0.5).astype(np.float32)
    _, net = warmed(task, hard)
    return Predictions(task.test.ids, evolve(task, net, float(hard.mean()), p).freeze().predict(task.test))
