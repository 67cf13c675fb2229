"""The gate: what it tells, what it charges, what it refuses, alone and under fifty threads."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from aar.errors import BudgetSpent, InputError, LabError, Refused
from aar.scoring.gate import PUBLISHED, Exam, Gate, GateRules
from aar.scoring.gatelog import MemoryGateStore
from aar.scoring.ladder import step_for

N = 600
RULES = GateRules(budget=40, rows_per_paid=1, rows_per_own=1, researchers=4, kept=0.8, daily=100)


class Clock:
    def __init__(self):
        self.now = 1e9

    def __call__(self):
        return self.now


def exam(n=N, problem="code", seed=0, label_set="L", floor=0.55, ceiling=0.85):
    gold = np.random.default_rng(seed).integers(0, 2, n)
    return Exam(problem, label_set, tuple(f"r{i}" for i in range(n)), gold, floor, ceiling)


def vector(e, right, seed=0):
    """{id: 0/1} that gets exactly `right` rows right, which ones by seed."""
    wrong = np.random.default_rng(seed).permutation(len(e.ids))[right:]
    p = e.gold.astype(float)
    p[wrong] = 1 - p[wrong]
    return dict(zip(e.ids, p.tolist(), strict=True))


def gate(rules=RULES, store=None, clock=None):
    return Gate(store or MemoryGateStore(), rules, clock or Clock())


def test_an_improvement_tells_the_gridded_accuracy_and_pgr_and_nothing_else():
    """.70 on a grid of .01470 from .55: ten lines up is .697, and PGR is derived from that."""
    e, step = exam(), step_for(N)
    said = gate().answer(e, "ada", vector(e, 420))
    assert said.status == "improved"
    assert said.accuracy == pytest.approx(0.55 + 10 * step, abs=5e-5)
    assert said.pgr == pytest.approx(10 * step / 0.3, abs=5e-5)
    assert set(said.as_json()) == {"status", "pgr", "accuracy", "duplicate", "budget_left"}


def test_no_improvement_tells_the_same_whatever_the_vector():
    """Below the floor, at the floor and just under the next step: one and the same body."""
    e = exam()
    bodies = []
    for right in (0, 200, 330, 338):
        body = gate().answer(e, "ada", vector(e, right)).as_json()
        bodies.append(json.dumps(body))
    assert len(set(bodies)) == 1
    assert json.loads(bodies[0])["accuracy"] is json.loads(bodies[0])["pgr"] is None


def test_each_researcher_has_an_own_ladder():
    """What Ada was told does not stand in Bob's way."""
    e, g = exam(), gate()
    assert g.answer(e, "ada", vector(e, 480)).status == "improved"
    assert g.answer(e, "bob", vector(e, 420, seed=1)).status == "improved"
    assert g.answer(e, "ada", vector(e, 420, seed=2)).status == "not_improved"


def test_a_near_duplicate_reuses_the_paid_answer_free_through_the_own_ladder():
    """Twelve flips in 600 rows (2 %) are a copy, even of another's vector; thirteen are not."""
    e, g = exam(), gate()
    paid = g.answer(e, "ada", vector(e, 400))
    better = vector(e, 400)
    wrong = [i for i in e.ids if better[i] != e.gold[int(i[1:])]]
    for i in wrong[:12]:
        better[i] = 1 - better[i]
    copy = g.answer(e, "bob", better)
    assert (copy.status, copy.accuracy, copy.duplicate) == ("improved", paid.accuracy, True)
    assert g.budget_left(e, "bob") == g.budget_left(e, "carl")
    better[wrong[12]] = 1 - better[wrong[12]]
    other = g.answer(e, "bob", better)
    assert not other.duplicate
    assert [entry.paid for entry in g.store.entries("L", 0)] == [True, False, True]


def test_a_complement_is_a_duplicate_too():
    """Its accuracy is one minus the paid one's, so it buys nothing new."""
    e, g = exam(), gate()
    low = vector(e, 150)
    assert g.answer(e, "ada", low).status == "not_improved"
    said = g.answer(e, "ada", {i: 1 - p for i, p in low.items()})
    assert said.duplicate
    assert said.accuracy == pytest.approx(0.75, abs=step_for(N) / 2 + 1e-4)


def test_copies_of_copies_do_not_walk_away():
    """Only paid vectors have neighbours, so a chain of free 1.5 % moves ends in a paid query."""
    e, g = exam(), gate()
    p = vector(e, 400)
    said = [g.answer(e, "ada", p)]
    for k in range(3):
        for i in e.ids[9 * k : 9 * k + 9]:
            p[i] = 1 - p[i]
        said.append(g.answer(e, "ada", p))
    assert [a.duplicate for a in said] == [False, True, False, True]


def test_free_copies_are_limited_by_the_hour_and_logged():
    """Sixty an hour; the sixty-first is refused and not logged; an hour later it goes on."""
    e, clock = exam(), Clock()
    g = gate(clock=clock)
    p = vector(e, 400)
    for _ in range(61):
        g.answer(e, "ada", p)
    with pytest.raises(BudgetSpent, match="near-duplicates"):
        g.answer(e, "ada", p)
    assert len(g.store.entries("L", 0)) == 61
    assert g.store.entries("L", 60)[0].like == 0
    clock.now += 3601
    assert g.answer(e, "ada", p).duplicate


def spend(g, e, researcher, seeds):
    """How many fresh vectors are answered before the budget stops them."""
    done = 0
    for seed in seeds:
        try:
            g.answer(e, researcher, vector(e, 300, seed=1000 + seed))
        except BudgetSpent:
            return done
        done += 1
    return done


def test_nobody_drains_anothers_share():
    """40 in all, 8 kept for each of 4: the first gets 16, the others their 8 each, then nothing."""
    e, g = exam(), gate()
    assert g.budget_left(e, "ada") == 16
    assert [spend(g, e, name, range(k * 100, k * 100 + 50)) for k, name in enumerate("abcde")] == [16, 8, 8, 8, 0]


def test_who_has_come_keeps_the_rest_of_the_share():
    """Bob has used one of his eight: the seven are as safe from Ada as the shares of those who never came."""
    e, g = exam(), gate()
    assert spend(g, e, "bob", [0]) == 1
    assert spend(g, e, "ada", range(100, 150)) == 16
    assert g.budget_left(e, "bob") == 7


def test_nobody_gets_more_than_the_own_part_of_the_rows():
    """One in 60 of 600 rows is 10, though 40 are there for all; the next one has 10 as well."""
    e, g = exam(), gate(replace(RULES, rows_per_own=60, researchers=1))
    assert [spend(g, e, name, range(k * 100, k * 100 + 50)) for k, name in enumerate("ab")] == [10, 10]


def test_twenty_a_day_in_any_24_hours():
    """The daily limit says when to come back; a day later there are more."""
    e, clock = exam(), Clock()
    g = gate(replace(RULES, daily=5, researchers=1), clock=clock)
    assert spend(g, e, "ada", range(10)) == 5
    with pytest.raises(BudgetSpent, match="in 24 hours") as caught:
        g.answer(e, "ada", vector(e, 300, seed=5000))
    assert caught.value.hint == "come back tomorrow"
    clock.now += 86401
    assert spend(g, e, "ada", range(20, 30)) == 5


def test_the_default_budget_follows_the_rows():
    """84 in all and 42 for one at 1,263 rows; 26 and 13 at 400; 500 at most."""
    rules = GateRules()
    assert [(rules.pool(n), rules.own(n)) for n in (400, 1263, 7500, 10**6)] == [
        (26, 13),
        (84, 42),
        (500, 250),
        (500, 500),
    ]
    assert PUBLISHED.pool(400) == 400
    assert all(rules.share(n) * rules.researchers <= rules.pool(n) for n in range(300, 9000, 37))


def test_the_budget_belongs_to_the_label_set_not_to_the_problem():
    """Another problem on the same rows, or a reordered copy, spends from the same pool and log."""
    g = gate(replace(RULES, researchers=1))
    e = exam()
    assert spend(g, e, "ada", range(30)) == 30
    copy = Exam("other", "L", e.ids[::-1], e.gold[::-1], 0.5, 0.9)
    assert spend(g, copy, "ada", range(30)) == 10
    assert len(g.store.entries("L", 0)) == 40


def test_ten_ladders_then_they_are_shared_by_team():
    """The eleventh stands on a team-mate's Ladder, the twelfth, without a team, on an emptier one."""
    e, g = exam(), gate(replace(RULES, budget=400, researchers=20))
    for k in range(10):
        g.answer(e, f"r{k}", vector(e, 300, seed=k), team=f"team{k}")
    g.answer(e, "late", vector(e, 450, seed=50), team="team3")
    g.answer(e, "alone", vector(e, 300, seed=51))
    log = g.store.entries("L", 0)
    assert [entry.ladder for entry in log[:10]] == list(range(10))
    assert log[10].ladder == 3
    assert log[11].ladder != 3
    assert g.answer(e, "r3", vector(e, 420, seed=52)).status == "not_improved"


def test_a_shared_ladder_is_ones_own_else_the_problems():
    """Nobody climbs a second Ladder by asking about another problem; a newcomer joins those with the same problem."""
    g = gate(replace(RULES, ladders=2))
    a, b = exam(problem="a"), exam(problem="b")
    for k, (e, who) in enumerate([(a, "ada"), (b, "bob"), (b, "ada"), (b, "cem"), (a, "dov")]):
        g.answer(e, who, vector(e, 300, seed=k))
    assert [(entry.researcher, entry.ladder) for entry in g.store.entries("L", 2)] == [
        ("ada", 0),
        ("cem", 1),
        ("dov", 0),
    ]


def test_a_ladder_with_too_fine_a_step_is_not_shared_with_fewer_rows():
    """A copy with fewer rows needs a coarser grid than those Ladders have."""
    g = gate(replace(RULES, ladders=1))
    g.answer(exam(), "ada", vector(exam(), 300))
    small = exam(n=400)
    with pytest.raises(Refused, match="no Ladder"):
        g.answer(small, "bob", vector(small, 200))


E0 = exam()
GOOD = vector(E0, 400)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"r0": float("nan")}, "not_finite"),
        ({"r0": float("inf")}, "not_finite"),
        ({"r0": 1.0001}, "out_of_range"),
        ({"r0": -0.1}, "out_of_range"),
        ({"r0": "1"}, "not_a_number"),
        ({"r0": None}, "not_a_number"),
        ({"r0": [1]}, "not_a_number"),
        ({i: [0.5] for i in GOOD}, "not_a_number"),
        ({"zz": 1.0}, "unknown_ids"),
        ({"r0": ...}, "missing_ids"),
    ],
)
def test_a_bad_vector_is_refused_by_rule_and_costs_nothing(change, code):
    """Missing, unknown, NaN, infinite, out of range, not a number: 422 with a code; the log stays empty."""
    g = gate()
    bad = {i: p for i, p in (GOOD | change).items() if p is not ...}
    with pytest.raises(InputError) as caught:
        g.answer(E0, "ada", bad)
    assert caught.value.code == code
    assert g.store.entries("L", 0) == []


def test_predictions_are_joined_by_id():
    """In any order the same vector gets the same answer."""
    turned = dict(reversed(GOOD.items()))
    assert gate().answer(E0, "ada", turned) == gate().answer(E0, "ada", GOOD)
    g = gate()
    g.answer(E0, "ada", GOOD)
    assert g.answer(E0, "bob", turned).duplicate


def test_under_300_rows_there_is_no_interactive_lane():
    """299 rows: refused; 300: answered."""
    small = exam(n=299)
    with pytest.raises(InputError) as caught:
        gate().answer(small, "ada", vector(small, 200))
    assert caught.value.code == "no_interactive_lane"
    assert gate().answer(exam(n=300), "ada", vector(exam(n=300), 250)).status == "improved"


def test_a_verdict_goes_through_the_same_ladder_budget_and_cache():
    """The mean over seeds, one charge, an error bar from n alone; the same vector by hand is then a duplicate."""
    e, g = exam(), gate()
    runs = [vector(e, right, seed=3) for right in (410, 420, 430)]
    before = g.budget_left(e, "ada")
    said = g.answer_verified(e, "ada", runs)
    assert said.accuracy == pytest.approx(0.7, abs=step_for(N) / 2 + 1e-4)
    assert said.error == pytest.approx(0.5 / np.sqrt(N), abs=1e-4)
    assert (said.budget_left, g.budget_left(e, "ada")) == (before - 1, before - 1)
    assert g.answer(e, "ada", runs[1]).duplicate
    low = g.answer_verified(e, "ada", [vector(e, 300, seed=9)])
    assert (low.accuracy, low.error) == (None, said.error)


def test_an_unscored_pgr_says_why_even_when_the_accuracy_improved():
    """A gap under .05, or no ceiling: NotScored in the JSON, not null and not 0."""
    for ceiling in (0.58, None):
        e = exam(ceiling=ceiling)
        body = gate().answer(e, "ada", vector(e, 480)).as_json()
        assert body["accuracy"] > 0.7
        assert "not_scored" in body["pgr"]


def test_the_state_survives_a_restart():
    """A second gate on the same store: same Ladder, same budget, same cache."""
    e, store = exam(), MemoryGateStore()
    first = gate(store=store)
    first.answer(e, "ada", vector(e, 420))
    second = gate(store=store)
    assert second.budget_left(e, "ada") == first.budget_left(e, "ada")
    assert second.answer(e, "ada", vector(e, 420)).duplicate
    assert second.answer(e, "ada", vector(e, 421, seed=7)).status == "not_improved"


def test_fifty_threads_on_two_gates_charge_exactly_the_budget():
    """Two processes' worth of gates race on one store with 200 fresh vectors: 40 charged, 160 refused, no gap."""
    e, store = exam(), MemoryGateStore()
    gates = [gate(replace(RULES, researchers=1), store) for _ in range(2)]
    start = threading.Barrier(50)

    def work(k):
        start.wait()
        return sum(spend(gates[k % 2], e, f"r{k % 5}", [4 * k + j]) for j in range(4))

    with ThreadPoolExecutor(50) as pool:
        answered = sum(pool.map(work, range(50)))
    log = store.entries("L", 0)
    assert answered == len(log) == sum(entry.paid for entry in log) == 40
    assert [entry.seq for entry in log] == list(range(40))


def test_another_process_that_comes_between_reading_and_writing_is_not_overwritten():
    """The other's entry takes the place in the log; ours is computed again on top of it, here as its copy."""
    e = exam()

    class Interleaved(MemoryGateStore):
        """Lets a second gate answer just before the first append."""

        intruder = None

        def append(self, label_set, entry):
            if self.intruder:
                other, self.intruder = self.intruder, None
                other.answer(e, "bob", vector(e, 400))
            return super().append(label_set, entry)

    store = Interleaved()
    store.intruder = gate(store=store)
    said = gate(store=store).answer(e, "ada", vector(e, 401))
    assert said.duplicate
    assert [(entry.seq, entry.researcher) for entry in store.entries("L", 0)] == [(0, "bob"), (1, "ada")]


def test_a_rolled_back_append_is_forgotten():
    """A store whose transaction was undone: the charge and the Ladder's move are undone with it."""
    e, store = exam(), MemoryGateStore()
    g = gate(store=store)
    g.answer(e, "ada", vector(e, 400))
    before = g.budget_left(e, "ada")
    g.answer(e, "ada", vector(e, 500, seed=1))
    g.budget_left(e, "ada")
    store._logs["L"].pop()
    assert g.budget_left(e, "ada") == before
    assert g.answer(e, "ada", vector(e, 450, seed=2)).status == "improved"


def test_a_log_with_a_hole_is_our_fault_and_stops_everything():
    """Better no answer than one from a state that is not the record's."""
    e, store = exam(), MemoryGateStore()
    g = gate(store=store)
    for seed in range(3):
        g.answer(e, "ada", vector(e, 300, seed=seed))
    del store._logs["L"][1]
    with pytest.raises(LabError):
        gate(store=store).budget_left(e, "ada")


def test_a_bar_that_is_shown_by_deeds_is_paid_for_and_moves_no_ladder():
    """The mean over the seeds decides; a copy of a paid vector is judged by that one's accuracy, free of charge."""
    e, store = exam(), MemoryGateStore()
    g = gate(store=store)
    assert g.reaches(e, "ada", [vector(e, 420), vector(e, 360, seed=1)], 0.65)
    assert not g.reaches(e, "ada", [vector(e, 300, seed=2)], 0.51)
    near = vector(e, 300, seed=2)
    for i in e.ids[:6]:  # six more rows right, whatever they were
        near[i] = float(e.gold[e.ids.index(i)])
    assert not g.reaches(e, "bob", [near], 0.501)
    log = store.entries("L", 0)
    assert [(x.lane, x.paid, x.improved, x.level) for x in log] == [
        ("screening", True, False, log[0].level),
        ("screening", True, False, log[0].level),
        ("screening", False, False, log[2].level),
    ]
    assert g.answer(e, "ada", vector(e, 345, seed=3)).status == "improved"  # she still stands at the floor
