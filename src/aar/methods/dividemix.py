"""Two students tell each other which labels look clean; clean labels are refined, the others replaced by a joint guess.

P(clean) is the low-mean component of a two-normal mixture on the peer's losses. Clean (P > 1/2): c w + (1 - c) (own guess);
others: the mean guess of both, sharpened (T = .5), with weight lambda_u. "Lite": no MixUp and no image augmentation, and a
swapped pair says the same to an odd head.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.labels import hard, logit, sigmoid
from aar.methods.parts.mixture import losses_of, p_clean
from aar.types import Fit, Model, Predictions, Task

CARD = Card(
    family="selection",
    inputs=("weak", "fit"),
    source="Li et al. 2020, arXiv:2002.07394, alg. 1",
    summary="a mixture on the peer's losses divides labels into clean and replaced",
    defaults={"warm": 15, "rounds": 3, "epochs": 40, "sharpen": 0.5, "lambda_u": 1.0},
    formula=r"c_i = P(\text{low} \mid \ell_i), \quad \hat w_i = c_i \tilde y_i + (1 - c_i) p_i \text{ if } c_i > \tfrac12, \text{ else } \tfrac12 (p_i^f + p_i^g)",
    departs="no MixUp and no augmentation",
    grid=({"lambda_u": 0.25}, {"rounds": 6, "epochs": 20}),
)


def divided(
    label: np.ndarray, loss: np.ndarray, own: np.ndarray, joint: np.ndarray, p: dict[str, float], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(target [n], weight [n]) of one student, from its peer's losses."""
    clean = p_clean(loss, seed)
    mixed = np.where(clean > 0.5, clean * label + (1 - clean) * own, joint)
    return sigmoid(logit(mixed) / p["sharpen"]), np.where(clean > 0.5, 1.0, p["lambda_u"])


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    label, n = hard(task), len(task.train)
    order = np.random.default_rng([task.seed, 28]).permutation(n)
    halves = [np.sort(order[: n // 2]), np.sort(order[n // 2 :])]
    warm = [Fit(task.train.take(r), label[r], seed=task.seed + m, epochs=p["warm"]) for m, r in enumerate(halves)]
    two: list[Model] = task.student.fit(warm)
    for t in range(p["rounds"]):
        said = [model.predict(task.train) for model in two]
        jobs = []
        for m, model in enumerate(two):
            target, weight = divided(label, losses_of(said[1 - m], label), said[m], np.mean(said, axis=0), p, task.seed)
            jobs.append(Fit(task.train, target, weight, seed=task.seed + 2 * t + m, init=model, epochs=p["epochs"]))
        two = task.student.fit(jobs)
    z = np.mean([logit(model.predict(task.test)) for model in two], axis=0)
    return Predictions(task.test.ids, sigmoid(z))
