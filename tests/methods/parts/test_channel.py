"""The noisy channel finds the error rates it was made with, and never turns the teacher's word round."""

from __future__ import annotations

import numpy as np

from aar.methods.parts.channel import channel_em, own_rates, rates


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def through_a_channel(n: int = 5000, seed: int = 0) -> tuple[np.ndarray, ...]:
    """(hard, opinion, c, y): TPR = sigma(-.2 + 2.2 c), FPR its mirror image, prior right on .77 and calibrated."""
    rng = np.random.default_rng(seed)
    opinion = rng.normal(size=n) * 1.6
    y, c = rng.random(n) < sigmoid(opinion), rng.random(n)
    tpr = sigmoid(-0.2 + 2.2 * c)
    return rng.random(n) < np.where(y, tpr, 1 - tpr), opinion, c, y


def test_parameters_are_recovered_and_the_posterior_beats_both_views() -> None:
    """C5b."""
    hard, opinion, c, y = through_a_channel()
    found = channel_em(hard, opinion, c[:, None], l2=1e-5, steps=200)
    np.testing.assert_allclose(np.r_[found.tpr, found.fpr], [2.2, -0.2, -2.2, 0.2], atol=0.35)
    assert abs(found.slope - 1) < 0.15
    weak, prior, both = (((v > 0.5) == y).mean() for v in (hard, sigmoid(opinion), found.posterior))
    assert both > max(weak, prior) + 0.02
    tpr = sigmoid(-0.2 + 2.2 * c)
    best = sigmoid(opinion + np.where(hard, 1, -1) * np.log(tpr / (1 - tpr)))
    assert both > ((best > 0.5) == y).mean() - 0.01


def test_a_channel_never_says_the_opposite() -> None:
    """A prior that is wrong more often than right invites the mirror image, TPR < FPR; ruled out, a label of 1 can only
    raise the odds of 1."""
    rng = np.random.default_rng(1)
    y = rng.random(2000) < 0.5
    hard, opinion = np.where(rng.random(2000) < 0.9, y, ~y), np.where(y, -1, 1) * 0.5 + rng.normal(size=2000)
    found = channel_em(hard, opinion, rng.normal(size=(2000, 1)), slope=1.0)
    moved = np.log(found.posterior / (1 - found.posterior)) - opinion
    assert (moved[hard] > -1e-9).all()
    assert (moved[~hard] < 1e-9).all()
    t, f = rates(np.array([[1.0], [-1.0]]), np.array([1.0]), np.array([0.0]))
    assert t[0] > f[0]
    assert t[1] == f[1]  # sigma(-1) < sigma(0): there the label says nothing


def test_the_teachers_own_rates_are_kept_in_reason() -> None:
    """A teacher that is sure of everything is not taken at its word."""
    assert own_rates(np.array([0.999, 0.001])) == (0.95, 0.05)
    tpr, fpr = own_rates(np.array([0.7, 0.7, 0.3, 0.3]))
    np.testing.assert_allclose([tpr, fpr], [0.7, 0.3], atol=1e-6)
