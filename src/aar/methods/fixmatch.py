"""FixMatch: pseudo-labels from the row as it is, trained on where the student is sure, on the row strongly perturbed.

The teacher's surest rows are the labelled set, all rows are the unlabeled one. Strong augmentation of text is not at hand
for frozen features: here most features of a row are dropped, so that what one part of the features knows is taught to the
others. Published: keep where max p >= .95; a ridge head never is that sure, so the surest `keep` of the rows are kept.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.harden import hardened
from aar.types import Predictions, Task

CARD = Card(
    family="imitation",
    inputs=("weak", "features"),
    source="Sohn et al. 2020, arXiv:2001.07685, eq. 3-4",
    summary="the student's sure answers become labels for strongly perturbed copies of the rows",
    defaults={"labelled": 0.5, "keep": 0.5, "weight": 1.0, "drop": 0.5, "warmup": 0.3},
    formula=r"L = \mathrm{CE}(p(x), \hat w) + \lambda_u\, \mathbb{1}[\max p(u) \ge \tau]\, \mathrm{CE}(p(\mathcal{A}(u)), \hat p(u))",
    grid=({"weight": 3.0}, {"labelled": 0.25}),
    departs="dropout of features as the strong augmentation; tau is a quantile; mu is what the split gives, not 7",
)


def run(task: Task) -> Predictions:
    import torch

    from aar.methods.parts.looped import Loop, cross_entropy, opened, train

    task, p = CARD.open(task)
    weak, features = task.train.weak, task.student.features(task.train)
    loop = opened(features, task.kind, task.seed)
    confidence = np.abs(weak - 0.5)
    sure = torch.from_numpy(np.flatnonzero(confidence >= np.quantile(confidence, 1 - p["labelled"])))
    x, y = loop.scaled(features), torch.from_numpy((weak > 0.5).astype(np.float32))
    share = float(y[sure].mean())

    def objective(loop: Loop, done: float) -> torch.Tensor:
        z = loop.logits(x)
        loss = cross_entropy(z[sure], y[sure]).mean()
        if done < p["warmup"]:
            return loss
        own = z.detach().numpy()
        size = np.abs(own - (np.quantile(own, 1 - share) if task.kind == "binary" else 0))
        kept = torch.from_numpy(size >= np.quantile(size, 1 - p["keep"])).float()
        label = torch.from_numpy(hardened(1 / (1 + np.exp(-own)), share, task.kind)).float()
        return loss + p["weight"] * (kept * cross_entropy(loop.logits(loop.dropped(x, p["drop"])), label)).mean()

    return Predictions(task.test.ids, train(loop, objective).probability(task.student.features(task.test)))
