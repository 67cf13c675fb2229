"""Each attack works against exact answers and fails against the gate (few redraws here; the bench has the figures).

Not covered: attackers who know some labels from elsewhere, and confidences that are all or nothing (see the bench).
"""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from aar.scoring.attackers import ATTACKS, best_of_seeds, parking, single_flip
from aar.scoring.belief import Belief, truncated
from aar.scoring.gate import PUBLISHED, GateRules
from aar.scoring.siege import Siege, attack_exact, attack_gate, draw_world, exact_door, upper_bound


@pytest.fixture(autouse=True)
def _one_thread():
    """The matrices are small: more threads only get into each other's way."""
    with threadpool_limits(1):
        yield


BIG = [name for name in ATTACKS if name != "best of 200 seeds"]


@pytest.mark.parametrize("name", BIG)
def test_with_the_defence_off_every_attack_gains_at_least_five_points(name):
    """Exact answers, 400 rows, 1,500 queries (500 where that is enough): the attackers are real."""
    queries = 1500 if name in ("hill climb", "boosting") else 500
    assert attack_exact(ATTACKS[name], 400, queries, 2).min() >= 5


def test_single_flips_recover_every_label_of_an_exact_service():
    """n + 1 queries, 100 % of the labels: the reference system's hole."""
    world = draw_world(np.random.default_rng(0), 1200, 10_000, step=0.0)
    final = single_flip([exact_door(world)], world.known, np.random.default_rng(0))
    assert (final == world.gold).all()


@pytest.mark.parametrize("name", BIG)
@pytest.mark.parametrize("n", [400, 1263])
def test_alone_against_the_gate_no_attack_gains_two_points(name, n):
    """Default rules, all the time in the world: mean gain over a few redraws."""
    redraws = 1 if name in ("single flip", "block flip") else 8
    assert attack_gate(ATTACKS[name], n, redraws).mean() <= 2


@pytest.mark.parametrize("n", [400, 1263])
def test_eight_colluders_stay_under_four_points(n):
    """Eight Ladders, one pooled belief, parked at every one of them."""
    assert attack_gate(parking(0.0), n, 8, accomplices=8).mean() <= 4


@pytest.mark.parametrize(("n", "over"), [(400, 10), (1263, 6)])
def test_the_published_budget_would_not_hold_them(n, over):
    """500 paid vectors whatever the rows: the same eight gain several times as much, hence the stricter default."""
    assert attack_gate(parking(0.0), n, 1, accomplices=8, rules=PUBLISHED).min() > over


def test_best_of_200_seeds_is_undone_by_seeds_that_the_server_chose():
    """No answer rule stops picking the luckiest seed; a rerun does: the pick's gain does not come with it."""
    picked, rerun = [], []
    for rng in np.random.default_rng(0).spawn(60):
        world = draw_world(rng, 400, 200, step=0.0)
        picked.append(world.gain(best_of_seeds([exact_door(world)], world.known, rng)))
        rerun.append(np.mean([world.gain(vector) for vector in world.fresh]))
    assert np.mean(picked) > 4
    assert upper_bound(rerun) < 1


def test_eleven_identities_get_no_more_than_the_pool():
    """New names do not make new budget: forty researchers of one label set share its 26 paid vectors."""
    world = draw_world(np.random.default_rng(0), 400, 3000)
    siege = Siege(world)
    parking(0.0)(siege.doors(40), world.known, np.random.default_rng(0))
    log = siege.gate.store.entries("L", 0)
    assert sum(entry.paid for entry in log) <= GateRules().pool(400)
    assert len({entry.ladder for entry in log}) <= 10


def test_belief_agrees_with_plain_conditioning():
    """Two exact sums and the Gaussian formula; a truncated normal against draws."""
    rng = np.random.default_rng(0)
    c = rng.uniform(0.5, 0.9, 6)
    belief, x = Belief(c, 2), np.array([[1, 1, -1, 1, -1, 1], [1, -1, -1, -1, 1, 1.0]])
    for row, s in zip(x, (2.0, 0.0), strict=True):
        belief.hear(row, s - 1e-9, s + 1e-9)
    cov = np.diag(1 - (2 * c - 1) ** 2)
    want = (2 * c - 1) + cov @ x.T @ np.linalg.solve(x @ cov @ x.T, np.array([2.0, 0.0]) - x @ (2 * c - 1))
    assert belief.mean == pytest.approx(want, abs=1e-3)
    draws = rng.normal(1, 2, 400_000)
    for low, high in ((-9.0, 0.5), (2.0, 4.0), (-100.0, 100.0)):
        kept = draws[(draws > low) & (draws < high)]
        assert truncated(1.0, 4.0, low, high) == pytest.approx((kept.mean(), kept.var()), abs=0.03)
