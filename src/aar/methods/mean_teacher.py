"""Mean teacher: the student agrees, on noisy copies of the rows, with the running average of its own past weights.

L = CE(p(x + n), wh) + lambda(s) (p(x + n') - p_slow(x))^2, slow <- d slow + (1 - d) now; the average predicts.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.types import Predictions, Task

CARD = Card(
    family="imitation",
    inputs=("weak", "features"),
    source="Tarvainen & Valpola 2017, arXiv:1703.01780, eq. 1 and sec. 2",
    summary="consistency with an exponential average of the student's own weights, under noise",
    defaults={"weight": 4.0, "noise": 1.0, "decay": 0.95, "ridge": 0.3},
    formula=r"L = \mathrm{CE}(p_\theta(x + \eta), \hat w) + \lambda\, |p_\theta(x + \eta') - p_{\bar\theta}(x)|^2",
    grid=({"weight": 16.0}, {"noise": 2.0}),
    departs="published decay .999 suits 10^5 steps; a head takes 120, so .95, and min(decay, 1 - 1 / (t + 1)) before",
)


def run(task: Task) -> Predictions:
    import torch

    from aar.methods.parts.looped import Loop, cross_entropy, opened, train
    from aar.models.training import STEPS

    task, p = CARD.open(task)
    features = task.student.features(task.train)
    loop = opened(features, task.kind, task.seed)
    x, y = loop.scaled(features), torch.from_numpy((task.train.weak > 0.5).astype(np.float32))

    def objective(loop: Loop, done: float) -> torch.Tensor:
        loop.average(min(p["decay"], 1 - 1 / (done * STEPS + 1)))
        now, before = torch.sigmoid(loop.logits(loop.noise(x, p["noise"]))), torch.sigmoid(loop.logits(x, slow=True))
        ramp = float(np.exp(-5 * (1 - min(1.0, done / 0.3)) ** 2))
        fit = cross_entropy(loop.logits(loop.noise(x, p["noise"])), y).mean()
        return fit + ramp * p["weight"] * (now - before).square().mean()

    trained = train(loop, objective, ridge=p["ridge"])
    return Predictions(task.test.ids, trained.probability(task.student.features(task.test), slow=True))
