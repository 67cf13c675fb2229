"""Parts that look for wrong labels: against oracles (ruptures, cleanlab, brute force), and each trap of the code they come from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import ruptures
from cleanlab.rank import get_self_confidence_for_each_label
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize

from aar.methods import active, epiplexity, overlap_bandit, overlap_density, platt
from aar.methods.co_teaching import easy
from aar.methods.fakes import task_of, toy_task
from aar.methods.forward_correction import rates
from aar.methods.parts import changepoint, labels, overlap, prequential, selections, weights
from aar.methods.parts import neighbours as near
from aar.methods.parts.logistic import probe
from aar.methods.parts.mixture import losses_of, p_clean
from aar.methods.parts.topology import core


@given(arrays(np.float64, st.integers(6, 40), elements=st.integers(0, 1000).map(lambda i: i / 1000), unique=True))
@settings(max_examples=25, deadline=None)
def test_one_change_point_is_the_one_of_ruptures(values: np.ndarray) -> None:
    """Binseg with an l2 cost and one break, which Shin et al. call; equal costs may be cut at either place."""
    ordered = np.sort(values)
    want = ruptures.Binseg(model="l2", min_size=2, jump=1).fit(ordered).predict(n_bkps=1)[0]
    cost = lambda k: sum(((part - part.mean()) ** 2).sum() for part in (ordered[:k], ordered[k:]))  # noqa: E731
    assert cost(changepoint.split(ordered)) == pytest.approx(cost(want), abs=1e-9)


def test_the_change_point_of_two_steps_is_the_step() -> None:
    assert changepoint.split(np.array([0.1, 0.1, 0.2, 0.9, 1.0])) == 3
    assert changepoint.threshold(np.array([0.9, 0.1, 1.0, 0.2, 0.1])) == 0.9


@pytest.mark.parametrize("kind", ["pair", "binary"])
def test_neighbours_equal_brute_force_and_leave_the_row_out(kind: str) -> None:
    """Euclidean, as their code is and their comment is not. A pair's neighbours count read the other way round."""
    task, _ = toy_task(kind, n=40)  # type: ignore[arg-type]
    h, w = task.student.features(task.train).astype(float), task.train.weak.astype(float)
    points, label, owner = (
        (np.concatenate([h, -h]), np.concatenate([w, 1 - w]), np.tile(np.arange(40), 2))
        if kind == "pair"
        else (h, w, np.arange(40))
    )
    for with_self in (False, True):
        want = []
        for i in range(40):
            distance = np.linalg.norm(points - h[i], axis=1)
            distance[(owner == i) & (not with_self)] = np.inf
            want.append(label[np.argsort(distance)[:7]].mean())
        got = labels.neighbours(task, k=7, cosine=False, include_self=with_self)
        np.testing.assert_allclose(got, want, atol=1e-6)
    flipped = task.train.weak.copy()
    flipped[3] = 1 - flipped[3]
    turned = replace(task, train=task.train.with_weak(flipped))
    assert labels.neighbours(task, k=7)[3] == labels.neighbours(turned, k=7)[3]
    assert labels.neighbours(task, k=7, include_self=True)[3] != labels.neighbours(turned, k=7, include_self=True)[3]


def test_filters_drop_the_share_that_is_contradicted_most() -> None:
    """A tenth by default, and exactly the rows with the largest |q - w|."""
    task, _ = toy_task(n=60)
    q = labels.neighbours(task, k=10, cosine=False)
    keep = selections.vouched_by_neighbours(task, task.train.weak, drop=0.1, k=10)
    assert (~keep).sum() == 6
    gap = np.abs(q - task.train.weak)
    assert gap[~keep].min() >= gap[keep].max()


def islands() -> tuple[np.ndarray, np.ndarray]:
    """Two islands a class, joined to nothing, of 30 and 10 rows; one row carries the other label."""
    rng = np.random.default_rng(0)
    places = (((5, 0), 30), ((9, 0), 10), ((0, 5), 30), ((0, 9), 10))
    y = np.repeat([1.0, 1.0, 0.0, 0.0], [30, 10, 30, 10])
    y[4] = 0.0
    return np.concatenate([m + 0.1 * rng.normal(size=(n, 2)) for m, n in places]), y


def test_the_topological_core_is_the_largest_strong_component_of_each_class() -> None:
    """Against reachability by repeated squaring: rows that reach each other over neighbours of their own label."""
    x, y = islands()
    distance = np.linalg.norm(x[:, None] - x, axis=2) + np.diag(np.full(80, np.inf))
    edge = np.zeros((80, 80), bool)
    np.put_along_axis(edge, np.argsort(distance, axis=1)[:, :6], True, axis=1)
    reach = (edge & (y[:, None] == y)) | np.eye(80, dtype=bool)
    for _ in range(7):
        reach = reach @ reach
    mutual = reach & reach.T
    want = np.zeros(80, bool)
    for side in (0.0, 1.0):
        want |= mutual[np.where(y == side, mutual.sum(1), -1).argmax()]
    kept = core(near.cloud(x, y, "binary"), k=6)
    np.testing.assert_array_equal(kept, want)
    assert not kept[[4, *range(30, 40), *range(70, 80)]].any(), "neither the stray row nor the small islands"
    assert kept.sum() > 40


def test_the_topological_filter_removes_its_share_in_all() -> None:
    """A core that leaves out more than the share is kept whole; otherwise the rest is made up; `modified` looks past the core."""
    x, y = islands()
    task = task_of(x, np.where(y > 0.5, 0.9, 0.1), x[:2], kind="binary")
    kept = core(near.cloud(x, task.train.weak, "binary"), k=6)
    np.testing.assert_array_equal(selections.vouched_by_topology(task, y, drop=0.1, k_core=6, k=5), kept)
    assert selections.vouched_by_topology(task, y, drop=0.6, k_core=6, k=5).sum() == 32
    assert selections.vouched_by_topology(task, y, drop=0.1, k_core=6, k=5, modified=True).sum() == 72


@pytest.mark.parametrize("kind", ["pair", "binary"])
def test_the_probe_minimises_mean_cross_entropy_and_half_l2(kind: str) -> None:
    """Against a direct minimisation, on features of odd scale; a pair's probe has no intercept."""
    rng = np.random.default_rng(1)
    x, w = 30 * rng.normal(size=(80, 4)), rng.random(80)

    def loss(at: np.ndarray) -> float:
        z = x @ at[:4] + (at[4] if kind == "binary" else 0.0)
        return float((np.logaddexp(0, z) - w * z).mean() + 0.05 * at[:4] @ at[:4])

    best = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-9}).x
    z = x @ best[:4] + (best[4] if kind == "binary" else 0.0)
    np.testing.assert_allclose(probe(x, w, 0.1, kind)(x), 1 / (1 + np.exp(-z)), atol=1e-5)


def test_self_confidence_is_that_of_cleanlab() -> None:
    """The first sign of AAR's overlap density and the loss of small-loss methods rank labels as cleanlab does."""
    task, _ = toy_task(n=60)
    given = (task.train.weak > 0.5).astype(int)
    s1, s2, s3, _ = overlap_density.signs(task, k=10, width=0.15)
    p = np.where(given == 1, s1, 1 - s1)
    oracle = get_self_confidence_for_each_label(given, np.stack([1 - p, p], 1))
    np.testing.assert_allclose(s1, oracle, atol=1e-9)
    np.testing.assert_array_equal(np.argsort(losses_of(p, given), kind="stable"), np.argsort(-oracle, kind="stable"))
    assert ((s2 >= 0) & (s2 <= 1)).all()
    assert (s3 > 0).all()
    w = np.linspace(0.5, 0.999, 200)
    shape = task_of(np.zeros((200, 2)) + np.arange(200)[:, None], w, np.zeros((2, 2)))
    peak = w[overlap_density.signs(shape, k=3, width=0.15)[3].argmax()]
    assert peak == pytest.approx(0.89, abs=0.01), "neither blind nor blindly sure"


def test_overlap_uses_absolute_cosines_or_raw_products() -> None:
    """The probing script takes |cos|; the bandit the raw inner product without the sign, where an opposite row is far."""
    x = np.array([[1.0, 0], [2, 0], [-3, 0], [0, 1], [0, 5], [4, 0]])
    task = task_of(x, np.array([0.5, 0.52, 0.9, 0.92, 0.93, 0.94]), x[:1])
    hard = overlap.hard_only(task.train.weak)
    np.testing.assert_array_equal(hard, [True, True, False, False, False, False])
    np.testing.assert_allclose(overlap.scores(task, hard)[2:], [1, 0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(overlap.scores(task, hard, normalise=False)[2:], [-3, 0, 0, 8], atol=1e-5)
    over, _, _ = overlap.overlapping(task)
    np.testing.assert_array_equal(over, [False, False, True, False, False, True])


def test_the_bandit_has_its_count_outside_the_root_as_coded() -> None:
    pulls = np.array([1.0, 4.0])
    np.testing.assert_allclose(overlap_bandit.optimism(pulls, 5, textbook=False), np.sqrt(2 * np.log(5)) / pulls)
    np.testing.assert_allclose(overlap_bandit.optimism(pulls, 5, textbook=True), np.sqrt(2 * np.log(5) / pulls))
    source, score = np.repeat([0, 1], 50), np.repeat([0.0, 1.0], 50)
    got = overlap_bandit.collect(source, score, {"keep": 0.4, "batch": 4, "textbook": False}, np.random.default_rng(0))
    assert len(set(got)) == 40
    assert (source[got] == 1).mean() > 0.6


def test_the_em_of_class_shares_finds_them() -> None:
    """A teacher calibrated under equal shares, on data with 80 % positives: the mean of w' is .8; one step does not get there."""
    rng = np.random.default_rng(0)
    y = rng.random(20_000) < 0.8
    w = 1 / (1 + np.exp(-2 * (rng.normal(size=len(y)) + (2 * y - 1))))
    task = task_of(np.zeros((len(y), 1)), w, np.zeros((1, 1)), kind="binary")
    shifted = labels.saerens(task)
    assert shifted.mean() == pytest.approx(0.8, abs=0.01)
    assert abs(labels.saerens(task, steps=0).mean() - 0.8) > 0.02
    for low, high in ((0.1, 0.2), (0.45, 0.55), (0.8, 0.9)):  # and it is calibrated there
        inside = (shifted > low) & (shifted < high)
        assert y[inside].mean() == pytest.approx((low + high) / 2, abs=0.06)


def test_platt_recovers_the_distortion() -> None:
    """Probabilities that were sharpened by 3 and shifted by 1 come back."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=20_000)
    y = (rng.random(len(z)) < 1 / (1 + np.exp(-z))).astype(float)
    a, b = platt.fitted(1 / (1 + np.exp(-(3 * z + 1))), y, odd=False)
    assert (a, b) == (pytest.approx(1 / 3, abs=0.02), pytest.approx(-1 / 3, abs=0.04))
    assert np.isfinite(platt.fitted(np.array([0.9, 0.8, 0.1]), np.array([1.0, 1, 0]), odd=True)).all()


def test_noise_rates_are_counted_with_one_pseudo_count() -> None:
    """3 of 4 positives and 1 of 6 negatives said wrongly, say; and rates that leave nothing are drawn back."""
    x = np.zeros((10, 2))
    truth = np.array([1.0, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    said = np.array([0.1, 0.9, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1])
    task = task_of(x, said, x[:1], labelled=(x, said, truth))
    assert rates(task, symmetric=False) == {"e0": 2 / 8, "e1": 2 / 6}
    assert rates(task, symmetric=True) == {"e0": 3 / 12, "e1": 3 / 12}
    opposite = task_of(x, 1 - truth, x[:1], labelled=(x, 1 - truth, truth))
    assert sum(rates(opposite, symmetric=False).values()) == pytest.approx(0.98)


def test_weights() -> None:
    """Mean one; nothing for a row at one half; resampling has them as its expectation; a fixed teacher weighs all alike."""
    task, _ = toy_task(n=60)
    c = weights.by_confidence(task, task.train.weak)
    np.testing.assert_allclose(c, np.abs(2 * task.train.weak - 1) / np.abs(2 * task.train.weak - 1).mean(), rtol=1e-5)
    draws = np.mean([weights.resampled(replace(task, seed=s), task.train.weak) for s in range(400)], axis=0)
    np.testing.assert_allclose(draws, c, atol=0.35)
    halves = replace(task, train=task.train.with_weak(np.array([0.5, 1.0] * 30)))
    np.testing.assert_allclose(weights.by_information(halves, halves.train.weak)[:2], [0, 2], atol=1e-3)
    same = replace(task, train=task.train.with_weak(np.full(60, 0.5)))
    np.testing.assert_array_equal(weights.by_confidence(same, same.train.weak), np.ones(60))


def test_jtt_is_inverted() -> None:
    """Errors of the early student count less, not more."""
    task, _ = toy_task(n=80)
    target = labels.hard(task)
    weight = weights.undoubted(task, target, epochs=20, factor=5.0)
    assert len(set(weight.tolist())) == 2
    assert weight.max() / weight.min() == pytest.approx(5, rel=1e-5)
    assert (weight == weight.min()).mean() < 0.5


def test_clean_rows_are_the_component_of_low_loss() -> None:
    rng = np.random.default_rng(0)
    loss = np.concatenate([rng.normal(0.3, 0.05, 80), rng.normal(2.0, 0.3, 20)])
    clean = p_clean(loss, seed=0) > 0.5
    assert clean[:80].all()
    assert not clean[80:].any()
    np.testing.assert_array_equal(p_clean(np.full(5, 0.7), seed=0), np.ones(5))


def test_co_teaching_keeps_the_small_losses_of_the_pool() -> None:
    loss, pool = np.array([5.0, 1, 4, 2, 3, 0]), np.array([1, 1, 1, 1, 1, 0], bool)
    np.testing.assert_array_equal(easy(loss, pool, 0.6), [1, 3, 4])


def test_k_center_takes_the_farthest_each_time() -> None:
    """And covers the rows no worse than twice as well as any choice of as many."""
    rng = np.random.default_rng(0)
    h = rng.normal(size=(60, 2))
    chosen = active.centres(h, 5)
    for k in range(1, 5):
        gap = np.linalg.norm(h[:, None] - h[chosen[:k]], axis=2).min(1)
        assert gap.argmax() == chosen[k]
    radius = lambda s: np.linalg.norm(h[:, None] - h[s], axis=2).min(1).max()  # noqa: E731
    assert radius(chosen) <= 2 * min(radius(rng.choice(60, 5, replace=False)) for _ in range(300))


def test_epiplexity_smooths_the_rows_that_gain_least() -> None:
    """eps = (1 - r / .4)^2 below rank .4, nothing above."""
    eps = epiplexity.smoothing(np.array([3.0, 0.0, 1.0, 2.0, 4.0]), low=0.4, most=1.0)
    np.testing.assert_allclose(eps, [0, 1, (1 - 0.25 / 0.4) ** 2, 0, 0])


def test_reading_once_costs_less_and_less() -> None:
    """Prequential losses: ln 2 before anything is read, every block read once, and the whole cheaper at the end."""
    task, _ = toy_task(n=80)
    target = labels.hard(task)
    loss, turn = prequential.trace(task, target, blocks=4, epochs=20)
    assert loss.shape == (5, 80)
    np.testing.assert_allclose(loss[0], np.log(2))
    assert sorted(set(turn.tolist())) == [0, 1, 2, 3]
    assert loss[-1].mean() < loss[1].mean() < np.log(2) + 0.2
    np.testing.assert_array_equal(prequential.trace(task, target, 4, 20, reverse=True)[1], 3 - turn)
