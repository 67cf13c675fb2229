"""What a study costs: tokens, dollars and hours, by researcher, from its files and in the ledger."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from aar.lab import ledger
from aar.lab.store import Store
from aar.researchers.base import Llm
from aar.researchers.grants import USAGE
from aar.researchers.llm.purse import Purse
from aar.settings import LabFolder
from aar.studies.cost import Cost, costs
from aar.studies.spec import StudyFolder, StudySpec, team


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    found = StudyFolder(LabFolder(tmp_path / "lab"), "a")
    found.create(StudySpec("a", "toy", team("a", [("inspect", 2)], ["none"])))
    return found


def test_everything_that_was_asked_is_in_it(folder: StudyFolder) -> None:
    """Answers, a think-hard call, one under way, one that was released; hours of journals and sandboxes; another study's not."""
    one, two = (m.name for m in folder.load().researchers)
    purse, caps = Purse(folder.lab.spending), Llm(usd=100, usd_study=100, usd_day=100)
    refs = [purse.reserve(f"a/{one}/{i}", "a", one, 1.0, caps) for i in range(4)]
    purse.settle(refs[0], 0.25, tokens_in=1000, cached=600, tokens_out=50, model="m")
    purse.settle(refs[1], 0.50, tokens_in=10, cached=0, tokens_out=5, model="strong")
    purse.release(refs[2])
    purse.settle(purse.reserve("b/x/0", "b", "b.x", 1.0, caps), 1.0, tokens_in=1, cached=0, tokens_out=1)
    home = folder.home(one)
    home.mkdir()
    (home / "journal.jsonl").write_text(
        '{"step": 0, "call": "x", "args": "", "t": 1.0}\n{"step": 0, "answer": 1, "t": 1800.0}\n{"st'
    )
    (home / USAGE).write_text(json.dumps({"run": "r", "cpu_s": 360, "wall_s": 7200, "gpus": 1}) + "\n")
    first, second, whole = costs(folder.lab, "a")
    assert first == Cost(one, 1.75, 1.0, 3, 1010, 600, 55, 0.5, 0.1, 2.0)
    assert first.usd_per_hour == 3.5
    assert second == Cost(two)
    assert second.usd_per_hour is None
    assert whole == Cost(None, 1.75, 1.0, 3, 1010, 600, 55, 0.5, 0.1, 2.0)


def test_hours_of_a_real_study_are_in_the_ledger(ended: LabFolder) -> None:
    """Each researcher worked, its sandbox used a processor, and the lab's ledger tells the same hours, once."""
    with contextlib.closing(Store(ended.database)) as store:
        told = {row.researcher: row for row in ledger.totals(store, "a")}
    *lines, whole = costs(ended, "a")
    for line in lines:
        row = told[line.researcher]
        assert 0 < line.cpu_hours <= 2 * line.wall_hours + 0.01
        assert (row.hours, row.cpu_hours, row.gpu_hours) == pytest.approx(
            (line.wall_hours, line.cpu_hours, 0.0), abs=2e-6
        )
    assert whole.rerun_hours >= 0
    assert whole.wall_hours == pytest.approx(sum(line.wall_hours for line in lines))
