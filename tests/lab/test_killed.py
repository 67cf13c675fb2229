"""The server killed under load, and many clients on the last units of a budget: nothing lost, nothing charged twice."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from aar.bench import crowd
from aar.bench.crowd import Tally
from aar.lab import tokens
from aar.lab.services import Lab
from aar.lab.tables import Attempt, IdempotencyKey
from aar.scoring.near import pack
from aar.settings import LabFolder

EARLIER, ROWS = 40, 300


@pytest.fixture
def folder(database: str, tmp_path: Path) -> LabFolder:
    return LabFolder(tmp_path / "lab")


def rules(budget: int) -> dict[str, float]:
    """So many paid vectors in all, for whoever comes first."""
    return {"budget": budget, "rows_per_paid": 0.001, "rows_per_own": 0.001, "daily": 1_000_000, "kept": 0}


def made(folder: LabFolder) -> list[str]:
    lab = crowd.make(folder, ROWS, EARLIER)
    keys = [tokens.create(lab.store, f"r{i}") for i in range(crowd.RESEARCHERS)]
    lab.close()
    return keys


def check_log(lab: Lab, vectors: crowd.Vectors, tallies: list[Tally], budget: int) -> None:
    """Each acknowledged vector is in the gate's log, among the keys and among the attempts exactly once."""
    known = {pack(vectors.draw(n)): n for n in range(EARLIER, EARLIER + 5000)}
    entries = crowd.answered(lab, EARLIER)
    in_log = [known[entry.bits] for entry in entries]
    acknowledged = {n for tally in tallies for n in tally.seconds}
    assert len(set(in_log)) == len(in_log)
    assert acknowledged <= set(in_log)
    assert [entry.seq for entry in entries] == list(range(EARLIER, EARLIER + len(entries)))
    assert EARLIER + sum(entry.paid for entry in entries) <= budget
    with lab.store.reading() as session:
        keys = set(session.scalars(sa.select(IdempotencyKey.key)))
        told = session.scalars(sa.select(Attempt.outcome)).all()
    assert keys == {f"k{n}" for n in in_log}
    assert sum(outcome in ("improved", "not_improved") for outcome in told) == len(in_log)
    report = lab.audit.verify()
    assert report.problems == []
    text = lab.audit.path.read_text().splitlines()
    assert sum(json.loads(line)["action"] == "evaluate" for line in text) == len(in_log)


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)], indirect=True)
@pytest.mark.parametrize(
    ("kills", "clients", "after_s"),
    [(2, 16, 1.0), pytest.param(12, 50, 4.0, marks=pytest.mark.soak)],
)
def test_killed_under_load(folder: LabFolder, kills: int, clients: int, after_s: float) -> None:
    """kill -9 in the middle, again and again; the clients send everything again, under the same keys."""
    keys, vectors, tallies = made(folder), crowd.Vectors(folder), []
    budget, requests = EARLIER + 2000, 2000 + clients
    for _ in range(kills):
        with crowd.served(folder, **rules(budget)) as (process, port):
            started = time.monotonic()
            killer = threading.Timer(after_s, process.kill)
            killer.start()
            tallies.append(crowd.drive(port, keys, vectors, clients, requests, EARLIER))
            process.wait(30)
            assert time.monotonic() - started >= after_s
        lab = crowd.opened(folder)
        check_log(lab, vectors, tallies, budget)
        lab.close()
    assert any(tally.lost for tally in tallies)
    assert any(tally.seconds for tally in tallies)


def test_racing_for_the_last_units(folder: LabFolder) -> None:
    """50 clients of ten researchers, 20 units: exactly 20 are answered and charged, all others hear why not."""
    keys, vectors, budget = made(folder), crowd.Vectors(folder), EARLIER + 20
    with crowd.served(folder, **rules(budget)) as (_, port):
        tally = crowd.drive(port, keys, vectors, 50, 150, EARLIER)
    assert (len(tally.seconds), tally.lost) == (20, 0)
    assert {(status, json.loads(said)["error"]["code"]) for status, said in tally.refused} == {(429, "budget_spent")}
    assert len(tally.refused) == 130
    lab = crowd.opened(folder)
    assert crowd.scorer(lab).gate.spent(crowd.scorer(lab).exam(crowd.PROBLEM)) == budget
    check_log(lab, vectors, [tally], budget)
    lab.close()
