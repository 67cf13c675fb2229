"""The score's maths: known values, invariances, and intervals that cover."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import roc_auc_score

from aar.errors import InputError
from aar.scoring import metrics
from aar.types import NotScored

PUBLISHED = {
    "chat": (1263, 0.5280, 0.7325, 0.00387),
    "math": (1315, 0.5360, 0.7176, 0.00419),
    "code": (2567, 0.5768, 0.6936, 0.00334),
}
unit = st.floats(0, 1)


@pytest.mark.parametrize("testbed", PUBLISHED)
def test_one_flipped_prediction_moves_pgr_by_the_published_amount(testbed):
    """One row of the reference test sets is worth .00387 / .00419 / .00334 PGR."""
    n, floor, ceiling, moved = PUBLISHED[testbed]
    y = np.zeros(n)
    p = np.linspace(0, 1, n)
    flipped = p.copy()
    flipped[0] = 1.0
    a, b = (metrics.pgr(metrics.accuracy(v, y), floor, ceiling) for v in (p, flipped))
    assert a - b == pytest.approx(moved, abs=5e-6)


def test_a_prediction_of_exactly_half_earns_half_a_point_whatever_the_label():
    """All .5 scores .5 on any labels, so the majority label is not favoured."""
    for y in (np.zeros(7), np.ones(7), np.array([0, 1, 1, 1, 1, 1, 1])):
        assert metrics.accuracy(np.full(7, 0.5), y) == 0.5
    assert metrics.accuracy(np.array([0.5, 0.9, 0.2]), np.array([1, 1, 1])) == 0.5


@given(hnp.arrays(np.float64, st.integers(4, 40), elements=st.sampled_from([0.0, 0.2, 0.5, 0.7, 1.0])), st.randoms())
def test_auroc_agrees_with_sklearn_and_ignores_row_order(p, random):
    """Average ranks for ties; permuting rows changes nothing; flipping p mirrors it."""
    y = np.array([random.random() < 0.5 for _ in p]).astype(int)
    y[:2] = [0, 1]
    order = np.array(random.sample(range(len(p)), len(p)))
    assert metrics.auroc(p, y) == pytest.approx(roc_auc_score(y, p))
    assert metrics.auroc(p[order], y[order]) == pytest.approx(metrics.auroc(p, y))
    assert metrics.auroc(1 - p, y) == pytest.approx(1 - metrics.auroc(p, y))
    assert metrics.accuracy(p[order], y[order]) == pytest.approx(metrics.accuracy(p, y))


@given(unit, st.integers(1, 30), st.integers(1, 30))
def test_auroc_of_a_constant_is_one_half(value, zeros, ones):
    """A constant ranks nothing."""
    assert metrics.auroc(np.full(zeros + ones, value), np.r_[np.zeros(zeros), np.ones(ones)]) == 0.5


def test_auroc_with_one_label_is_not_scored():
    """No pair to rank: a reason, not .5 and not 0."""
    assert isinstance(metrics.auroc(np.array([0.1, 0.9]), np.ones(2)), NotScored)


@given(unit, st.floats(0.05, 1))
def test_pgr_is_zero_at_the_floor_and_one_at_the_ceiling(floor, gap):
    """The two ends of the scale."""
    assert metrics.pgr(floor, floor, floor + gap) == 0
    assert metrics.pgr(floor + gap, floor, floor + gap) == 1


@given(unit, unit, unit)
def test_a_score_survives_json_and_not_scored_never_becomes_a_number(student, floor, ceiling):
    """Round trip through a JSON text: equal value, or NotScored with its reason."""
    score = metrics.pgr(student, floor, ceiling)
    again = metrics.score_from_json(json.loads(json.dumps(metrics.score_as_json(score))))
    assert again == score
    assert type(again) is type(score)
    assert isinstance(score, NotScored) == (ceiling - floor < 0.05 - 1e-12)


@pytest.mark.parametrize("data", [None, True, "0", float("nan"), {"not_scored": "a", "value": 0}, []])
def test_what_is_no_score_is_refused(data):
    """Null, booleans, strings and NaN are errors, never 0."""
    with pytest.raises(InputError):
        metrics.score_from_json(data)


def test_nan_cannot_be_written_as_a_score():
    """A NaN would become null in many JSON writers."""
    with pytest.raises(ValueError):
        metrics.score_as_json(math.nan)


@pytest.mark.parametrize(("k", "added"), [(1, 0.0), (5, 0.116), (10, 0.154), (20, 0.187), (50, 0.225)])
def test_best_of_k_seeds_inflates_by_the_order_statistic(k, added):
    """SCIENCE.md C6 at sd .10."""
    assert metrics.best_of_k_inflation(k, 0.10) == pytest.approx(added, abs=6e-4)


def world(rng, seeds=(5, 6, 6), n=600, per_group=2, accuracies=(0.65, 0.6, 0.8)):
    """Student, floor, ceiling [seeds, n] that share row difficulty, with seeds that differ, and groups [n]."""
    g = n // per_group
    ease = np.repeat(rng.normal(size=g), per_group)
    groups = np.repeat(np.arange(g), per_group)
    out = []
    for s, acc in zip(seeds, accuracies, strict=True):
        shift = np.sqrt(2) * 1.2 * _probit(acc) + rng.normal(0, 0.06, size=(s, 1))
        out.append((ease + 0.9 * rng.normal(size=n) + 0.9 * rng.normal(size=(s, n)) + shift > 0).astype(float))
    return (*out, groups)


def _probit(acc):
    from scipy.special import ndtri

    return ndtri(acc)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_the_interval_contains_its_mean_and_is_seeded(seed, seeds):
    """The point estimate lies inside; the same seed gives the same interval."""
    student, floor, ceiling, groups = world(np.random.default_rng(seed), seeds=(seeds, 5, 5))
    a = metrics.pgr_interval(student, floor, ceiling, groups, draws=200)
    assert a.lo <= a.mean <= a.hi
    assert a.se > 0
    assert a.n == seeds
    assert a == metrics.pgr_interval(student, floor, ceiling, groups, draws=200)
    assert a.mean == pytest.approx(metrics.pgr(student.mean(), floor.mean(), ceiling.mean()))


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    """95 % intervals over 200 worlds with rows in groups and 5 seeds: 89-100 % cover."""
    rng = np.random.default_rng(0)
    big = world(rng, seeds=(300, 300, 300), n=20_000)
    truth = metrics.pgr(*(m.mean() for m in big[:3]))
    cover = 0
    for _ in range(200):
        interval = metrics.pgr_interval(*world(rng), draws=300)
        cover += interval.lo <= truth <= interval.hi
    assert 178 <= cover <= 200


def test_whole_groups_are_redrawn_so_copies_of_a_row_add_no_certainty():
    """Ten copies of each row in one group: same standard error as the rows once; ungrouped it would shrink."""
    student, floor, ceiling, groups = world(np.random.default_rng(1), n=300, per_group=1)
    once = metrics.pgr_interval(student, floor, ceiling, groups)
    copies = [np.repeat(m, 10, axis=1) for m in (student, floor, ceiling)]
    grouped = metrics.pgr_interval(*copies, np.repeat(groups, 10))
    naive = metrics.pgr_interval(*copies)
    assert grouped.se == pytest.approx(once.se, rel=0.08)
    assert naive.se < 0.75 * once.se


def test_pairing_makes_the_ceiling_certain_of_itself():
    """A student that is the ceiling, row by row and with one seed, has PGR exactly 1: what they share cancels."""
    _, floor, ceiling, groups = world(np.random.default_rng(2), seeds=(1, 5, 1))
    assert metrics.pgr_interval(ceiling, floor, ceiling, groups).se == pytest.approx(0, abs=1e-12)


def test_simultaneous_intervals_are_wider_than_one_at_a_time():
    """Ten methods promised together need more room than one alone."""
    rng = np.random.default_rng(3)
    student, floor, ceiling, groups = world(rng)
    many = {f"m{i}": rng.permutation(student.T).T for i in range(10)} | {"real": student}
    alone = metrics.pgr_interval(student, floor, ceiling, groups)
    together = metrics.simultaneous_intervals(many, floor, ceiling, groups)
    assert together["real"].mean == pytest.approx(alone.mean)
    assert 1.1 < (together["real"].hi - together["real"].lo) / (alone.hi - alone.lo) < 2


def test_a_gap_under_five_points_gives_no_interval():
    """NotScored with a reason for each method, not a number."""
    student, floor, _, groups = world(np.random.default_rng(4))
    assert isinstance(metrics.pgr_interval(student, floor, floor + 0.01, groups), NotScored)
    assert isinstance(metrics.simultaneous_intervals({"a": student}, floor, floor, groups)["a"], NotScored)


def test_matrices_on_different_rows_are_refused():
    """[seeds, n] on the same n rows, or nothing."""
    with pytest.raises(InputError):
        metrics.pgr_interval(np.ones((2, 5)), np.zeros((2, 6)), np.ones((2, 6)))


def test_seed_interval_is_student_t():
    """5 seeds: t(4) = 2.776."""
    i = metrics.seed_interval([0.1, 0.2, 0.3, 0.4, 0.5])
    assert i.hi - i.mean == pytest.approx(2.776 * i.se, rel=1e-3)
    assert i.se == pytest.approx(0.0707, rel=1e-2)
    assert isinstance(metrics.seed_interval([0.3]), NotScored)


def test_the_spread_over_seeds_is_not_understated():
    """Rows that all agree leave only the seeds: the standard error is that of a mean of 6 seeds, ddof 1."""
    values = 0.6 + 0.1 * _probit(np.arange(1, 7) / 7)
    student = np.repeat(values[:, None], 20, axis=1)
    floor, ceiling = np.full((5, 20), 0.4), np.full((5, 20), 0.9)
    se = metrics.pgr_interval(student, floor, ceiling, draws=20_000).se
    assert se == pytest.approx(np.std(values, ddof=1) / np.sqrt(6) / 0.5, rel=0.04)


def test_gains_are_paired_by_row_and_seed():
    """What both sides share cancels: a copy gains exactly nothing, and a small true gain shows where separate intervals
    would overlap by far."""
    rng = np.random.default_rng(3)
    hard, lucky = rng.random(400), rng.normal(0, 0.1, (5, 1))
    over = (hard + lucky < 0.7).astype(float)
    better = (hard + lucky < 0.76).astype(float)
    floor, ceiling = (np.tile((hard < q).astype(float), (5, 1)) for q in (0.5, 0.9))
    gains = metrics.simultaneous_gains({"copy": over, "better": better}, over, floor, ceiling)
    assert (gains["copy"].lo, gains["copy"].hi) == (0, 0)
    assert gains["better"].mean == pytest.approx((better.mean() - over.mean()) / (ceiling.mean() - floor.mean()))
    assert gains["better"].lo > 0.05
    apart = metrics.simultaneous_intervals({"over": over, "better": better}, floor, ceiling)
    assert apart["better"].lo < apart["over"].hi
    with pytest.raises(InputError, match="same seeds"):
        metrics.simultaneous_gains({"short": better[:3]}, over, floor, ceiling)


def test_many_looks_at_equal_methods_seldom_show_a_gain():
    """Thirty methods no better than the reference: a simultaneous interval leaves zero out in few of 20 worlds, although in
    most worlds some method lies more than one standard error from it."""
    rng, shown, apart = np.random.default_rng(0), 0, 0
    for world in range(20):
        hard = rng.random((1, 150))

        def draw(q, hard=hard):
            return (hard + rng.normal(0, 0.25, (4, 150)) < q).astype(float)

        floor, ceiling, over = draw(0.5), draw(0.95), draw(0.7)
        many = {str(i): draw(0.7) for i in range(30)}
        gains = metrics.simultaneous_gains(many, over, floor, ceiling, draws=200, seed=world).values()
        shown += any(g.lo > 0 or g.hi < 0 for g in gains)
        apart += any(abs(g.mean) > g.se for g in gains)
    assert shown <= 3
    assert apart >= 15
