"""A fitness without labels: the student is sure, and says the same of a row and its mirror image.

f = mean((1 - |p - (1 - p_swap)|) |2p - 1|) - balance (mean p - share)^2. By itself it is highest for a student that is sure
of anything at all, right or wrong: it must start from a warmed student, keep its class balance, and here keeps the length
of its weight vector too, because a longer vector is surer of the same answers.
"""

from __future__ import annotations

import numpy as np

from aar.methods.parts.evolution import antithetic_step
from aar.methods.parts.labels import sigmoid
from aar.types import Kind, Net, Rows, Task


def fitness(p: np.ndarray, swapped: np.ndarray | None, share: float, balance: float) -> float:
    """p [n]; swapped [n]: on the mirrored pairs, None for claims; share: of ones to hold."""
    agree = 1.0 if swapped is None else 1 - np.abs(p - (1 - swapped))
    return float((agree * np.abs(2 * p - 1)).mean() - balance * (p.mean() - share) ** 2)


def evolve(task: Task, net: Net, share: float, params: dict[str, float]) -> Net:
    """The net after `iterations` antithetic generations on batches of the training rows. `sharpness`: typical log-odds
    that the warmed student is scaled to first, since near p = .5 |2p - 1| only counts the length of the weights."""
    import torch

    rng, theta = np.random.default_rng(task.seed), net.get_vector().astype(np.float64)
    length, unit = np.linalg.norm(theta), theta.std() + 1e-12

    def log_odds(rows: Rows) -> np.ndarray:
        with torch.no_grad():
            return net.logits(rows).double().cpu().numpy()

    gain = params["sharpness"] / (np.sqrt(np.mean(log_odds(task.train) ** 2)) + 1e-12)
    for _ in range(int(params["iterations"])):
        rows = task.train.take(rng.permutation(len(task.train))[: int(params["batch"])])
        mirror = rows.swap() if rows.kind == "pair" else None

        def score(vector: np.ndarray, rows: Rows = rows, mirror: Rows | None = mirror) -> float:
            net.set_vector(vector)
            p, other = (None if r is None else sigmoid(gain * log_odds(r)) for r in (rows, mirror))
            return fitness(p, other, share_of(share, rows.kind), params["balance"])  # type: ignore[arg-type]

        theta = antithetic_step(
            theta, score, rng, int(params["population"]), params["sigma"] * unit, params["alpha"] * unit**2
        )
        if params["keep_length"]:
            theta *= length / np.linalg.norm(theta)
    net.set_vector(theta)
    return net


def share_of(share: float, kind: Kind) -> float:
    """Half of all pairs, whatever the teacher says: the order of a pair is a coin toss."""
    return 0.5 if kind == "pair" else share
