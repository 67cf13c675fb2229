"""Dawid-Skene: the published example, an oracle, and the case where it has nothing to gain."""

from __future__ import annotations

import numpy as np
import pandas as pd
from crowdkit.aggregation import DawidSkene

from aar.methods.parts.annotators import dawid_skene


def votes_of(rates: list[tuple[float, float]], n: int, seed: int, pi: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """(votes [n, k], truth [n]) of independent annotators with these (TPR, TNR)."""
    rng = np.random.default_rng(seed)
    y = rng.random(n) < pi
    return np.stack([np.where(y, rng.random(n) < tpr, rng.random(n) >= tnr) for tpr, tnr in rates], axis=1), y


def test_one_good_annotator_of_five_is_found_out() -> None:
    """C5: n = 5000, pi = .4, one at .92 / .88, the others near .6: the majority is right on .78, the consensus on .90."""
    votes, y = votes_of([(0.92, 0.88), (0.6, 0.62), (0.62, 0.6), (0.58, 0.64), (0.64, 0.58)], 5000, 0)
    found = dawid_skene(votes)
    right, majority = ((found.posterior > 0.5) == y).mean(), ((votes.mean(1) > 0.5) == y).mean()
    assert right > majority + 0.08
    assert right > 0.88
    assert found.tpr[0] == np.max(found.tpr)
    np.testing.assert_allclose([found.tpr[0], 1 - found.fpr[0], found.prior], [0.92, 0.88, 0.4], atol=0.04)


def test_alike_annotators_leave_nothing_to_gain() -> None:
    """C5's other half: five of one quality, where the majority is as good as it gets."""
    votes, y = votes_of([(0.7, 0.7)] * 5, 5000, 1, pi=0.5)
    right, majority = ((dawid_skene(votes).posterior > 0.5) == y).mean(), ((votes.mean(1) > 0.5) == y).mean()
    assert abs(right - majority) < 0.02


def test_crowd_kit_says_the_same() -> None:
    """Posteriors on 300 rows, to a hundredth; they smooth nothing, we a hundredth of a vote."""
    votes, _ = votes_of([(0.9, 0.85), (0.7, 0.75), (0.65, 0.7), (0.8, 0.6)], 300, 2)
    long = pd.DataFrame([(i, k, int(v)) for i, row in enumerate(votes) for k, v in enumerate(row)],
                        columns=["task", "worker", "label"])  # fmt: skip
    theirs = DawidSkene(n_iter=100, tol=1e-10).fit_predict_proba(long)[1].sort_index().to_numpy()
    np.testing.assert_allclose(dawid_skene(votes, laplace=1e-6, steps=100).posterior, theirs, atol=0.01)
