"""Reruns that end after their first seed: which do, what it costs the submitter, and that nothing else tells."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import sqlalchemy as sa

from aar.errors import ProviderDown
from aar.lab import leaderboard, queue, snapshots, tokens, worker
from aar.lab.fakes import person
from aar.lab.scorer import GateScorer
from aar.lab.screening import SCREENED_OUT, lowest_first_seed
from aar.lab.services import Lab, open_lab
from aar.lab.tables import Evaluation, Run, Submission
from aar.sandboxes import Limits, available
from aar.scoring.gate import GateRules
from aar.scoring.layout import server_seeds
from aar.scoring.problem import Card, Problem
from aar.scoring.rerun import RerunRules
from aar.settings import LabFolder
from aar.studies import finalize
from aar.studies.spec import StudySpec

LIMITS = Limits(wall_s=120, memory_mb=1500, pids=48, disk_mb=48, output_mb=0.5)
RULES = RerunRules(seeds=2, limits=LIMITS, screen=1)
GOOD = b"""
from aar.types import Fit, Predictions
def run(task):
    (m,) = task.student.fit([Fit(task.train, (task.train.weak > .5).astype("float32"), seed=task.seed)])
    return Predictions(task.test.ids, m.predict(task.test))
"""
BAD = GOOD.replace(b"m.predict(task.test)", b"[int(i % 7 == 0) for i in range(len(task.test))]")
FEW = GateRules(rows_per_paid=1, rows_per_own=1, kept=0, min_rows=20)  # `toy` has 40 interactive rows


@pytest.fixture
def lab(tiny_lab: LabFolder, tmp_path: Path) -> Iterator[Lab]:
    try:
        available()
    except ProviderDown as error:
        pytest.skip(error.message)
    blank = shutil.ignore_patterns("lab.db*")  # other tests have submitted there
    folder = LabFolder(shutil.copytree(tiny_lab.root, tmp_path / "lab", ignore=blank))
    lab = open_lab(folder, lambda store: GateScorer(folder, store, FEW))
    yield lab
    lab.close()


def judged(lab: Lab, name: str, code: bytes, rules: RerunRules = RULES) -> Submission:
    """This code, submitted by `name` and rerun."""
    who = person(lab, name)
    id_ = queue.enqueue(lab, who, "toy", "m", snapshots.put(lab, who, {"method.py": code}).id).id
    assert worker.work(lab, "w", rules, forever=False) == 1
    with lab.store.reading() as session:
        return session.get_one(Submission, id_)


def with_accuracy(lab: Lab, verdict: Submission, accuracy: float) -> Submission:
    """As if it had been this good: on forty rows a good method may well be none."""
    with lab.store.transaction() as session:
        session.execute(sa.update(Run).where(Run.submission == verdict.id).values(accuracy=accuracy))
    return verdict


def entries(lab: Lab, name: str) -> list[tuple[str, bool]]:
    """(lane, paid) of each of this researcher's queries."""
    with lab.store.reading() as session:
        found = session.scalars(
            sa.select(Evaluation).where(Evaluation.researcher == name).order_by(Evaluation.label_set, Evaluation.seq)
        )
        return [(e.lane, e.paid) for e in found]


def test_the_bar_is_two_deviations_under_the_last_place() -> None:
    """Hand-made: means .80, .70, .60, each with a deviation of .02 between two seeds; none while a place is free."""
    d = 0.02 / 2**0.5
    verdicts = {str(m): [m - d, m + d] for m in (0.6, 0.8, 0.7)}
    assert lowest_first_seed(verdicts, 2) == pytest.approx(0.7 - 2 * 0.02 * 1.5**0.5)
    assert lowest_first_seed(verdicts, 4) is None
    assert lowest_first_seed(verdicts, 0) is None
    assert lowest_first_seed({"a": [0.7, 0.7]}, 1) == pytest.approx(0.7 - 2 * 0.01 * 1.5**0.5)  # never no margin


def test_a_screened_verdict_is_repeated_on_its_own_seed(lab: Lab) -> None:
    """`aar verify` asks for as many seeds as there were: the first of five is the one seed of one."""
    card = Card.load(lab.folder, Problem.parse("toy"))
    assert server_seeds(lab.folder, "7", 1, card) == server_seeds(lab.folder, "7", 5, card)[:1]


def test_only_what_could_rank_runs_on_all_seeds(lab: Lab) -> None:
    """The first fills the one place; a bad one ends after a seed, has no figure, stands unranked, and has paid for it."""
    first = with_accuracy(lab, judged(lab, "ann", GOOD), 0.97)
    bad = judged(lab, "bob", BAD)
    assert first.verdict
    assert bad.verdict
    assert bad.public
    assert (first.verdict["screened"], len(first.verdict["seeds"])) == (False, 2)
    assert (bad.state, bad.verdict["screened"], len(bad.verdict["seeds"])) == ("verified", True, 1)
    assert (bad.public["status"], bad.public["pgr"], bad.public["accuracy"]) == (SCREENED_OUT, None, None)
    assert entries(lab, "ann") == [("verified", True)]  # nothing to compare with yet: nothing asked
    assert entries(lab, "bob") == [("screening", True)]
    rows = [r for r in leaderboard.board(lab, person(lab, "eve"), "toy").rows if r.submission]
    assert [(r.submission, r.rank) for r in rows] == [(first.id, 1), (bad.id, None)]
    assert "first seed" in rows[1].note
    found = finalize._verified(lab, cast(StudySpec, SimpleNamespace(name=None, problem="toy")))
    assert [v.id for v in found] == [first.id]  # and is never opened
    with_accuracy(lab, first, 0.03)
    second = judged(lab, "cleo", GOOD)
    assert second.verdict
    assert len(second.verdict["seeds"]) == 2
    assert [lane for lane, _ in entries(lab, "cleo")] == ["screening", "verified"]


def test_who_never_ranks_ends_nobodys_rerun(lab: Lab) -> None:
    """An agent outside any sandbox can read the labels, submit them as a method, and would set the bar for all."""
    with_accuracy(lab, judged(lab, "ann", GOOD), 0.97)
    tokens.create(lab.store, "ann", kind=tokens.UNSANDBOXED)
    bad = judged(lab, "bob", BAD)
    assert bad.verdict
    assert (len(bad.verdict["seeds"]), entries(lab, "bob")) == (2, [("verified", True)])


def test_nothing_is_told_by_who_cannot_pay(lab: Lab) -> None:
    """With the budget spent the bad one runs on all its seeds: how long it takes says nothing."""
    assert isinstance(lab.scorer, GateScorer)
    lab.scorer.gate.rules = replace(FEW, budget=1)
    with_accuracy(lab, judged(lab, "ann", GOOD), 0.97)
    bad = judged(lab, "bob", BAD)
    assert bad.verdict
    assert len(bad.verdict["seeds"]) == 2
    assert bad.public
    assert bad.public["status"] == "not_told"
    assert entries(lab, "bob") == []


def test_whether_the_checks_look_it_over_is_paid_too(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """`battery="promoted"` takes ten reruns more where a verdict is above the best human baseline."""
    looked: list[int] = []
    monkeypatch.setattr("aar.lab.promotion.human_accuracy", lambda *_: 0.01)
    monkeypatch.setattr("aar.lab.promotion.look_over", lambda lab, id_, rules: looked.append(id_))
    judged(lab, "ann", GOOD, RerunRules(1, LIMITS, battery="promoted"))
    assert (looked, entries(lab, "ann")) == ([1], [("screening", True), ("verified", False)])
    monkeypatch.setattr("aar.lab.promotion.human_accuracy", lambda *_: 0.99)
    judged(lab, "bob", BAD, RerunRules(1, LIMITS, battery="promoted"))
    assert (looked, entries(lab, "bob")) == ([1], [("screening", True), ("verified", False)])
