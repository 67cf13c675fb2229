"""Directions and the exact logistic probe, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression

from aar.methods import lda
from aar.methods.parts.directions import along, components, mean_difference
from aar.methods.parts.logistic import logistic


def blobs(seed: int = 0, n: int = 300, d: int = 8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    hard = rng.random(n) < 0.4
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + np.outer(hard, rng.normal(size=d)), hard


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize("shrinkage", [0.0, 0.2, 0.9])
def test_lda_is_that_of_scikit_learn(shrinkage: float) -> None:
    """One direction; theirs weighs covariances by class, which is the pooled one."""
    h, hard = blobs()
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(h, hard)
    ours = lda.direction(h, hard, "binary", shrinkage)
    # theirs shrinks each class's covariance by its own trace; with equal spreads that is the same direction
    assert cosine(ours, theirs.coef_[0]) > (0.999999 if shrinkage == 0 else 0.999)


def test_components_are_those_of_scikit_learn() -> None:
    h, _ = blobs()
    for ours, theirs in zip(components(h, "binary", 3), PCA(3).fit(h).components_, strict=True):
        assert abs(cosine(ours, theirs)) > 0.999999


def test_pairs_are_mirrored() -> None:
    """A pair and its mirror image say the same: swapping rows with their labels moves no direction."""
    h, hard = blobs()
    turn = np.where(np.random.default_rng(1).random(len(h)) < 0.5, -1, 1)
    mirrored = hard ^ (turn < 0)
    np.testing.assert_allclose(
        mean_difference(h * turn[:, None], mirrored, "pair"), mean_difference(h, hard, "pair"), atol=1e-9
    )
    np.testing.assert_allclose(
        lda.direction(h * turn[:, None], mirrored, "pair", 0.1), lda.direction(h, hard, "pair", 0.1), atol=1e-9
    )
    theta = mean_difference(h, hard, "pair")
    probe = along(theta, h, hard, "pair")
    np.testing.assert_allclose(probe.probability(h) + probe.probability(-h), 1, atol=1e-9)


@pytest.mark.parametrize("l2", [1e-3, 0.5])
def test_logistic_is_that_of_scikit_learn(l2: float) -> None:
    """Hard labels and weights; C = 1 / (l2 n) with weights of mean 1."""
    h, hard = blobs()
    weight = np.random.default_rng(2).random(len(h)) + 0.1
    weight /= weight.mean()
    theirs = LogisticRegression(C=1 / (l2 * len(h)), fit_intercept=False, tol=1e-10, max_iter=5000)
    theirs.fit(h, hard, sample_weight=weight)
    np.testing.assert_allclose(logistic(h, hard, weight, l2), theirs.coef_[0], atol=1e-4)


def test_a_heavy_prior_is_kept() -> None:
    """l2 without end: the prior itself."""
    h, hard = blobs()
    prior = np.arange(8.0)
    np.testing.assert_allclose(logistic(h, hard, l2=1e9, prior=prior), prior, atol=1e-6)
