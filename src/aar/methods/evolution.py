"""Evolution strategies on the weak labels: the student's weights move by forward passes alone, no gradient.

The reward is what a gradient cannot use: the share of a batch on which student and teacher agree. It counts a wrong label
once, however far out the row lies, where cross-entropy follows it. Starts at the vanilla student.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.evolution import Fitness, plain_step
from aar.types import Fit, Model, Net, Predictions, Rows, Task

CARD = Card(
    family="search",
    inputs=("weak", "fit"),
    source="Qiu et al. 2025, arXiv:2509.24372, algorithm 2; Salimans et al. 2017, arXiv:1703.03864",
    summary="evolve the student's weights towards agreement with the teacher, by forward passes alone",
    defaults={"population": 30, "iterations": 40, "sigma": 0.3, "alpha": 0.3, "batch": 200},
    formula=r"\theta \leftarrow \theta + \alpha\,\overline{\tfrac{f_k - \bar f}{\mathrm{sd} f}\,\epsilon_k},\quad f = \overline{\mathbb{1}[\hat p = \hat w]}",
    departs="sigma and alpha are shares of the weights' spread (a head's weights are no LM's); published 500 iterations",
)


def log_odds(net: Net, rows: Rows) -> np.ndarray:
    """f64 [n] of label 1, without gradient."""
    import torch

    with torch.no_grad():
        return net.logits(rows).double().cpu().numpy()


def warmed(task: Task, target: np.ndarray, weight: np.ndarray | None = None) -> tuple[Model, Net]:
    """A student trained on the targets, and a net that goes on from it."""
    (model,) = task.student.fit([Fit(task.train, target, weight, seed=task.seed)])
    return model, model.open(task.seed)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    rng, hard = np.random.default_rng(task.seed), (task.train.weak > 0.5).astype(np.float32)
    _, net = warmed(task, hard)
    theta = net.get_vector().astype(np.float64)
    unit = theta.std() + 1e-12
    for _ in range(p["iterations"]):
        index = rng.permutation(len(task.train))[: p["batch"]]
        rows = task.train.take(index)

        def agreement(vector: np.ndarray, rows: Rows = rows, index: np.ndarray = index) -> float:
            net.set_vector(vector)
            return float(((log_odds(net, rows) > 0) == (hard[index] > 0.5)).mean())

        fitness: Fitness = agreement
        theta = plain_step(theta, fitness, rng, p["population"], p["sigma"] * unit, p["alpha"] * unit)
    net.set_vector(theta)
    return Predictions(task.test.ids, net.freeze().predict(task.test))
