"""Draw training rows from several sources, pulling the source whose rows overlap most (a bandit).

Public rows name no source, so sources are clusters of the student's features. Each pull reveals a batch of one source; its
score is the mean overlap of what was seen plus an optimism term. As coded that term is sqrt(2 ln T) / count, with the count
outside the root; the textbook's is sqrt(2 ln T / count).
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts import neighbours as near
from aar.methods.parts.labels import hard
from aar.methods.parts.overlap import hard_only, scores
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="selection",
    inputs=("weak", "features", "fit"),
    source="Shin et al. 2024, arXiv:2412.03881, alg. 2; SprocketLab/datacentric_w2s data_source_selection_linear_probing.py",
    summary="collect training rows from the sources that overlap most",
    defaults={"sources": 6, "batch": 4, "keep": 0.5, "textbook": False, "normalise": True},
    formula=r"\arg\max_s \bar o_s + \sqrt{2 \ln T} / n_s",
    departs="sources are clusters of the features, since public rows carry none; the count is outside the root as coded (textbook=True puts it inside)",
    grid=({"keep": 0.7}, {"keep": 0.3}),
)


def optimism(pulls: np.ndarray, turn: int, textbook: bool) -> np.ndarray:
    """[s] bonus of sources pulled `pulls` times by turn T."""
    return np.sqrt(2 * np.log(turn) / pulls) if textbook else np.sqrt(2 * np.log(turn)) / pulls


def collect(source: np.ndarray, score: np.ndarray, p: dict[str, float], rng: np.random.Generator) -> np.ndarray:
    """Positions of the `keep` share of rows, batch by batch from the source with the highest bound."""
    queues = [list(rng.permutation(np.flatnonzero(source == s))) for s in range(int(source.max()) + 1)]
    seen: list[list[int]] = [[] for _ in queues]
    budget, batch = int(np.ceil(p["keep"] * len(source))), int(p["batch"])
    pulls = np.zeros(len(queues))
    while sum(map(len, seen)) < budget:
        turn = int(pulls.sum()) + 1
        bound = np.array([np.mean(score[s]) if s else np.inf for s in seen])
        started = pulls > 0
        bound[started] += optimism(pulls[started], turn, bool(p["textbook"]))
        bound[[not q for q in queues]] = -np.inf
        pick = int(bound.argmax())
        pulls[pick] += 1
        seen[pick] += queues[pick][:batch]
        del queues[pick][:batch]
    return np.concatenate([np.array(s, int) for s in seen])[:budget]


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    from sklearn.cluster import KMeans

    h = near.features(task, task.train, cosine=True)
    clusters = KMeans(min(p["sources"], len(h)), n_init=2, random_state=task.seed % 2**31).fit_predict(h)
    lonely = hard_only(task.train.weak)
    overlap = np.where(lonely, 0.0, scores(task, lonely, p["normalise"]))
    chosen = np.sort(collect(clusters, overlap, p, np.random.default_rng([task.seed, 23])))
    (model,) = task.student.fit([Fit(task.train.take(chosen), hard(task)[chosen], seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
