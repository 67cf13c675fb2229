"""The gate behind the lab's routes: its memory survives restarts and rollbacks, and budgets are kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from aar.errors import BudgetSpent, InputError
from aar.lab.apps import owner_app
from aar.lab.fakes import bearer
from aar.lab.gatestore import SqlGateStore, SqlLabelSets
from aar.lab.scorer import GateScorer
from aar.lab.services import Lab, open_lab
from aar.scoring.gate import GateRules
from aar.scoring.labelsets import Sighting, who_has_seen
from aar.scoring.problem import Card
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.testbeds.rows import SPLITS, Example
from aar.testbeds.sealing import seal
from aar.types import Claim

pytestmark = pytest.mark.usefixtures("database")

N = 320
RULES = GateRules(rows_per_paid=80, rows_per_own=160)  # 4 paid vectors in all, 2 for one


@pytest.fixture
def folder(tmp_path: Path) -> LabFolder:
    """A testbed of 320 interactive rows and its problem's card."""
    folder = LabFolder(tmp_path / "lab")
    rows = [
        Example("binary", Claim(f"{s} {i}?", "yes"), i % 2, s, "sub", "hard", f"{s} {i}", f"{s}{i:03}")
        for s in SPLITS
        for i in range(N if s == "test" else 4)
    ]
    seal(folder, "bed", rows, {"by": "test"})
    card = Card("bed@minilm/smollm2-135m", "binary", 18, "mean", "s", "t", 5, {"test": N}, {"mean": 0.5}, {"mean": 0.9})
    folder.problem(card.problem).mkdir(parents=True)
    card.save(folder)
    return folder


@pytest.fixture
def lab(folder: LabFolder) -> Iterator[Lab]:
    lab = open_again(folder)
    yield lab
    lab.close()


def open_again(folder: LabFolder) -> Lab:
    return open_lab(folder, lambda store: GateScorer(folder, store, RULES))


def vector(folder: LabFolder, share: float, seed: int = 0) -> dict[str, float]:
    """Predictions of which this share is right."""
    ids = sorted(Sealed(folder).rows("bed", "test").ids)
    gold = Sealed(folder).labels("bed", ids)
    wrong = np.random.default_rng(seed).permutation(N) < round(N * (1 - share))
    return dict(zip(ids, np.where(wrong, 1 - gold, gold).astype(float), strict=True))


def test_the_problem_is_listed(lab: Lab) -> None:
    """By its full and its short name, with floor, ceiling and rows."""
    card = lab.problem("bed")
    assert (card.name, card.floor, card.ceiling, card.rows, card.interactive) == (
        "bed@minilm/smollm2-135m",
        0.5,
        0.9,
        N,
        True,
    )


def test_an_evaluation_is_scored_and_charged(lab: Lab, folder: LabFolder) -> None:
    """On the grid, from the true labels, whoever asks by whichever name; the budget goes down by one."""
    answer = lab.scorer.evaluate("ann", "bed", None, vector(folder, 0.75))
    assert answer.status == "improved"
    assert answer.accuracy == pytest.approx(0.75, abs=0.36 / N**0.5 / 2 + 1e-4)
    assert answer.pgr == pytest.approx((answer.accuracy - 0.5) / 0.4, abs=1e-3)
    assert lab.scorer.evaluate("ann", "bed", None, vector(folder, 0.4, 1)).status == "not_improved"
    assert lab.scorer.budget("ann", "bed", None).spent == 2


def test_memory_survives_a_restart(lab: Lab, folder: LabFolder) -> None:
    """After opening again the budget is as spent as before, and the same vector is a duplicate."""
    first = vector(folder, 0.75)
    lab.scorer.evaluate("ann", "bed", None, first)
    lab.scorer.evaluate("ann", "bed", None, vector(folder, 0.6, 1))
    again = open_again(folder)
    with pytest.raises(BudgetSpent):
        again.scorer.evaluate("ann", "bed", None, vector(folder, 0.7, 2))
    assert again.scorer.evaluate("bob", "bed", None, first).duplicate


def test_a_rolled_back_answer_is_not_charged(lab: Lab, folder: LabFolder) -> None:
    """If the answer cannot be kept, the query never happened, and the gate goes on without a hole."""

    class DiskFull(Exception):
        pass

    def lost() -> None:
        with lab.store.transaction():
            lab.scorer.evaluate("ann", "bed", None, vector(folder, 0.75))
            raise DiskFull

    with pytest.raises(DiskFull):
        lost()
    assert SqlLabelSets(lab.store).rows() == {}
    assert lab.scorer.budget("ann", "bed", None).spent == 0
    assert sum(map(len, SqlLabelSets(lab.store).rows().values())) == N
    answer = lab.scorer.evaluate("ann", "bed", None, vector(folder, 0.75))
    assert (answer.status, answer.duplicate) == ("improved", False)


def test_over_http_with_a_key(lab: Lab, folder: LabFolder) -> None:
    """A repeated key is answered from memory and not charged; what is told is five fields, never the exact figure."""
    body = {"problem": "bed", "predictions": vector(folder, 0.74375)}
    headers = bearer(lab, "ann") | {"Idempotency-Key": "k"}
    with TestClient(owner_app(lab), base_url="http://lab/api/v1") as api:
        first, second = (api.post("/evaluations", json=body, headers=headers).json() for _ in range(2))
        budget = api.get("/budget", headers=headers).json()["evaluations"][0]
        short = api.post("/evaluations", json={"problem": "bed", "predictions": {"x": 1}}, headers=bearer(lab, "bob"))
    assert first == second
    assert set(first) == {"status", "pgr", "accuracy", "duplicate", "budget_left"}
    assert first["accuracy"] != 0.7438
    assert (budget["lifetime"], budget["spent"], budget["left"]) == (4, 1, first["budget_left"])
    assert (short.status_code, short.json()["error"]["code"]) == (422, "missing_ids")


def test_a_verdict_goes_through_the_same_gate(lab: Lab, folder: LabFolder) -> None:
    """It is charged like a query, tells an error bar from n alone, and leaves a sighting."""
    scorer = lab.scorer
    assert isinstance(scorer, GateScorer)
    told = scorer.verdict("ann", "bed", None, [vector(folder, 0.8, seed) for seed in range(3)])
    assert told["error"] == round(0.5 / N**0.5, 4)
    assert scorer.budget("ann", "bed", None).spent == 1
    label_set = scorer.exam("bed").label_set
    assert SqlLabelSets(lab.store).sightings(label_set) == {Sighting(label_set, "", "ann")}
    (entry,) = SqlGateStore(lab.store).entries(label_set, 0)
    assert (entry.lane, entry.accuracy) == ("verified", pytest.approx(0.8, abs=1e-6))


def test_an_answer_leaves_a_sighting_and_a_refusal_none(lab: Lab, folder: LabFolder) -> None:
    """Also a free one; whoever heard nothing has seen nothing."""
    scorer = lab.scorer
    assert isinstance(scorer, GateScorer)
    for who in ("ann", "bob"):
        scorer.evaluate(who, "bed", None, vector(folder, 0.4))
    with pytest.raises(InputError):
        scorer.evaluate("cem", "bed", None, {"x": 1.0})
    label_set = scorer.exam("bed").label_set
    assert who_has_seen(SqlLabelSets(lab.store), label_set) == ["ann", "bob"]


def test_two_appends_of_one_number(lab: Lab, folder: LabFolder) -> None:
    """The second is told to look again, and nothing is overwritten."""
    scorer = lab.scorer
    assert isinstance(scorer, GateScorer)
    scorer.evaluate("ann", "bed", None, vector(folder, 0.75))
    store, label_set = SqlGateStore(lab.store), scorer.exam("bed").label_set
    before = store.entries(label_set, 0)
    assert store.append(label_set, before[0]) is False
    assert store.entries(label_set, 0) == before


def test_bad_vectors_cost_nothing(lab: Lab, folder: LabFolder) -> None:
    """Missing or unknown ids are refused before anything is charged."""
    good = vector(folder, 0.7)
    for bad in ({**good, "x": 1.0}, dict(list(good.items())[1:]), {}):
        with pytest.raises(InputError):
            lab.scorer.evaluate("ann", "bed", None, bad)
    assert lab.scorer.budget("ann", "bed", None).spent == 0


def test_a_label_set_is_not_forgotten_with_a_refused_vector(lab: Lab, folder: LabFolder) -> None:
    """A first query that is refused rolls its registration back; the next one registers the rows again."""
    with pytest.raises(InputError):
        lab.scorer.evaluate("ann", "bed", None, {"x": 1.0})
    assert SqlLabelSets(lab.store).rows() == {}
    lab.scorer.evaluate("ann", "bed", None, vector(folder, 0.75))
    assert [len(rows) for rows in SqlLabelSets(lab.store).rows().values()] == [N]
