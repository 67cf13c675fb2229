"""Swap augmentation and consistency: train on each pair in both orders and penalise answers that depend on the order.

L = [CE(p, y) + CE(p', 1 - y)] / 2 + lambda (p + p' - 1)^2, p' the answer on the swapped pair. A head on feature
differences is odd by construction (p' = 1 - p), so on it this is vanilla exactly; a finetuned LM is not.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.types import Batch, Fit, Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "fit", "pairs"),
    source="automated-w2s reference study 2026 (swap augmentation and consistency); Zheng et al. 2023, arXiv:2306.05685, sec. 3.4",
    summary="both orders of every pair, and a penalty on answers that depend on the order",
    defaults={"weight": 1.0, "augment": True},
    formula=r"L = \tfrac12[\mathrm{CE}(p, y) + \mathrm{CE}(p', 1 - y)] + \lambda (p + p' - 1)^2",
)


def run(task: Task) -> Predictions:
    import torch

    from aar.models.losses import cross_entropy, weighted_mean

    task, p = CARD.open(task)

    def loss(batch: Batch) -> torch.Tensor:
        z, other = batch.logits, batch.swapped()
        value = cross_entropy(z, batch.target)
        if p["augment"]:
            value = 0.5 * (value + cross_entropy(other, 1 - batch.target))
        apart = torch.sigmoid(z) + torch.sigmoid(other) - 1
        return weighted_mean(value + p["weight"] * apart**2, batch.weight)

    hard = (task.train.weak > 0.5).astype(np.float32)
    (model,) = task.student.fit([Fit(task.train, hard, loss=loss, seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
