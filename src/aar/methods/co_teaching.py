"""Two students, each taught the rows that the other finds easy.

After each round both give their losses; each keeps the R(t) = 1 - min(t / Tk, 1) tau share with the smallest loss and hands
it to its peer. They begin on a random half each, because a linear head forgets the weights it began with and two of them
would be one. tau: the noise rate, by default what the teacher itself expects, mean of 1 - max(w, 1 - w).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.labels import hard, logit, sigmoid
from aar.methods.parts.mixture import losses_of
from aar.types import Fit, Model, Predictions, Task

CARD = Card(
    family="selection",
    inputs=("weak", "fit"),
    source="Han et al. 2018, arXiv:1804.06872, alg. 1",
    summary="two students exchange the rows they find easy",
    defaults={"rounds": 10, "epochs": 12, "ramp": 10, "tau": None},
    formula=r"R(t) = 1 - \min(t / T_k, 1)\, \tau; \quad \theta_f \leftarrow \text{the } R(t) \text{ share of smallest loss under } g, \text{ and the reverse}",
    departs="rows are exchanged once a round, not in every batch, so that any student's fit will do",
    grid=({"tau": 0.3}, {"tau": 0.2, "ramp": 3}),
)


def easy(loss: np.ndarray, pool: np.ndarray, share: float) -> np.ndarray:
    """Positions of the `share` of the pool with the smallest loss."""
    where = np.flatnonzero(pool)
    return np.sort(where[np.argsort(loss[where], kind="stable")[: max(2, round(share * len(where)))]])


def teach(task: Task, p: dict[str, Any], torn: bool) -> Predictions:
    """torn: only rows on which the two disagree are in the pool, as long as there are enough (co-teaching+)."""
    target, n = hard(task), len(task.train)
    tau = float(np.minimum(task.train.weak, 1 - task.train.weak).mean()) if p["tau"] is None else p["tau"]
    order = np.random.default_rng([task.seed, 26]).permutation(n)
    given = [np.sort(order[: n // 2]), np.sort(order[n // 2 :])]
    two: list[Model | None] = [None, None]
    for t in range(1, p["rounds"] + 1):
        jobs = [
            Fit(task.train.take(rows), target[rows], seed=task.seed + 2 * t + m, init=start, epochs=p["epochs"])
            for m, (rows, start) in enumerate(zip(given, two, strict=True))
        ]
        two = list(task.student.fit(jobs))
        said = [model.predict(task.train) for model in two if model]
        pool = np.ones(n, bool)
        if torn and ((split := (said[0] > 0.5) != (said[1] > 0.5)).sum() >= p["least"] * n):
            pool = split
        share = 1 - min(t / p["ramp"], 1) * tau
        given = [easy(losses_of(q, target), pool, share) for q in reversed(said)]
    z = np.mean([logit(model.predict(task.test)) for model in two if model], axis=0)
    return Predictions(task.test.ids, sigmoid(z))


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return teach(task, p, torn=False)
