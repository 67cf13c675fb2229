"""Promotion: what the checks found becomes evidence and a board; flags reach a person, decisions stay."""

from __future__ import annotations

import pytest

from aar.errors import Conflict, InputError, NotFound, ProviderDown
from aar.lab import promotion, queue, reviews, snapshots, worker
from aar.lab.fakes import person
from aar.lab.queue import SeedRun
from aar.lab.scorer import GateScorer
from aar.lab.services import Lab, open_lab
from aar.lab.tables import Submission
from aar.lab.tokens import Identity
from aar.sandboxes import Limits, available
from aar.scoring.integrity.battery import Report
from aar.scoring.integrity.case import Finding, Level
from aar.scoring.rerun import RerunRules
from aar.settings import LabFolder

OWNER = Identity("owner", "owner")


def verified(lab: Lab, name: str, body: bytes = b"x = 1", parents: list[str] | None = None) -> tuple[int, str]:
    """A verified submission of this code: (its id, its snapshot)."""
    who = person(lab, name)
    code = snapshots.put(lab, who, {"method.py": body}, parents).id
    id_ = queue.enqueue(lab, who, "toy", "m", code).id
    job = queue.claim(lab.store, "w")
    assert job is not None
    queue.finish(
        lab.store, job, {"test": {"acc": 0.7}}, {"pgr": 0.5}, [SeedRun(s, 0.7, 0.4 + s / 100) for s in range(3)]
    )
    return id_, code


def report(level: Level) -> Report:
    return Report((Finding("copying", level, "copied", "says", "look", board="hybrid"),), {"as submitted": 0.7})


def row_of(lab: Lab, id_: int) -> Submission:
    with lab.store.reading() as session:
        return session.get_one(Submission, id_)


def test_a_flag_sends_a_submission_to_a_person_with_its_evidence(lab: Lab) -> None:
    """Off the board until somebody decides; the verdict stays what it was."""
    id_, _ = verified(lab, "ann")
    promotion.keep(lab, "owner", id_, report("flag"))
    (pending,) = reviews.listed(lab)
    assert pending.evidence["findings"][0]["label"] == "copied"
    row = row_of(lab, id_)
    assert (row.state, row.board, row.verdict and row.verdict["test"]) == ("pending_review", "hybrid", {"acc": 0.7})


def test_a_note_changes_no_state_and_a_decision_is_not_undone(lab: Lab) -> None:
    """Checked again after a person approved: new evidence, same state."""
    id_, _ = verified(lab, "ann")
    promotion.keep(lab, "owner", id_, report("note"))
    assert (row_of(lab, id_).state, row_of(lab, id_).board) == ("verified", "hybrid")
    reviews.decide(lab, OWNER, id_, "approve", "read it")
    promotion.keep(lab, "owner", id_, report("flag"))
    assert row_of(lab, id_).state == "verified"


def test_earlier_code_comes_with_credit_and_figures(lab: Lab) -> None:
    """Ancestors at any distance are credited; a second verdict on the same snapshot is its own entry; later code is not there."""
    first, root = verified(lab, "ann")
    _, middle = verified(lab, "bob", b"x = 2", [root])
    _, stranger = verified(lab, "cleo", b"x = 3")
    mine, leaf = verified(lab, "dov", b"x = 4", [middle])
    _, later = verified(lab, "ema", b"x = 5")
    with lab.store.reading() as session:
        codes = {c.snapshot: c for c in promotion.earlier(lab, session, session.get_one(Submission, mine))}
    assert {s for s, c in codes.items() if c.credited} == {root, middle}
    assert (codes[stranger].researcher, later in codes, leaf in codes) == ("cleo", False, False)
    assert (codes[root].submission, codes[root].pgr) == (first, pytest.approx((0.4, 0.41, 0.42)))


HONEST = b"""
from aar.types import Fit, Predictions
def run(task):
    task.weak_model.predict(task.test)
    (m,) = task.student.fit([Fit(task.train, (task.train.weak > .5).astype("float32"), seed=task.seed)])
    return Predictions(task.test.ids, m.predict(task.test))
"""


def test_a_worker_looks_verdicts_over_where_it_is_asked_to(tiny_lab: LabFolder) -> None:
    """From the queue to evidence and board, on real reruns; an honest method is not sent to a person."""
    try:
        available()
    except ProviderDown as error:
        pytest.skip(error.message)
    lab = open_lab(tiny_lab, lambda store: GateScorer(tiny_lab, store))
    who = person(lab, "zoe")
    id_ = queue.enqueue(lab, who, "toy", "honest", snapshots.put(lab, who, {"method.py": HONEST}).id).id
    limits = Limits(wall_s=120, memory_mb=1500, pids=48, disk_mb=48, output_mb=0.5)
    assert worker.work(lab, "w", RerunRules(2, limits, battery="all"), forever=False) == 1
    row = row_of(lab, id_)
    lab.close()
    assert row.verdict is not None
    found = row.verdict["evidence"]
    assert [f["label"] for f in found["findings"] if f["level"] == "flag"] == []
    assert (row.state, row.board) == ("verified", found["board"])
    accuracy = found["accuracy"]
    assert set(accuracy) == {
        "as submitted",
        "repeat",
        "permuted",
        "inverted",
        "flipped",
        "fresh teachers",
        "swapped",
        "re-keyed",
        "random student",
        "mismatched",
    }
    assert accuracy["repeat"] == accuracy["as submitted"]
    assert abs(accuracy["inverted"] + accuracy["as submitted"] - 1) < 0.11


def test_only_what_has_a_verdict_can_be_checked(lab: Lab) -> None:
    """Unknown and waiting submissions are named as such."""
    who = person(lab, "ann")
    waiting = queue.enqueue(lab, who, "toy", "m", snapshots.put(lab, who, {"method.py": b"x"}).id).id
    with pytest.raises(NotFound):
        promotion.promote(lab, "owner", 99)
    with pytest.raises(Conflict):
        promotion.promote(lab, "owner", waiting)


def test_the_owners_settings_are_read_or_refused() -> None:
    """How many seeds a verdict takes and which verdicts are looked over."""
    assert worker.rules_of({}) == RerunRules()
    assert worker.rules_of({"AAR_RERUN_SEEDS": "2", "AAR_BATTERY": "all"}) == RerunRules(2, battery="all")
    large = worker.rules_of(
        {"AAR_RERUN_WALL_S": "40000", "AAR_RERUN_MEMORY_MB": "32000", "AAR_RERUN_GPUS": "1,3"}, 5
    ).limits
    assert (large.wall_s, large.memory_mb, large.gpus) == (40_000, 32_000, (3,))
    for wrong in ("0", "17", "-1", "many"):
        with pytest.raises(InputError, match="1 to 16"):
            worker.rules_of({"AAR_RERUN_SEEDS": wrong})
