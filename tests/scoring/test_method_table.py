"""The table of methods: kept cells, settings chosen elsewhere, and what the figures may be said to show."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from aar.methods import library
from aar.methods.card import BUDGET
from aar.scoring import method_cells, method_table
from aar.scoring.metrics import Interval
from aar.scoring.problem import Problem
from aar.settings import LabFolder

CODE, CHAT, MATH = (Problem(bed).name for bed in ("code", "chat", "math"))


def test_every_method_has_the_same_budget() -> None:
    """No method tries more settings than another may; the first is always its defaults."""
    todo = method_cells.cells([Problem("code")], list(library.methods()), [0])
    tried = {m: [c.params for c in todo if c.method == m] for m in library.methods()}
    assert all(1 <= len(settings) <= BUDGET and settings[0] == {} for settings in tried.values())


def test_a_setting_is_chosen_on_other_testbeds_only() -> None:
    """The best setting on the problem itself, or on its testbed with another teacher, is not looked at."""
    twin = Problem("code", teacher="tfidf").name
    points = {(CODE, "gce", 0): 0.1, (CODE, "gce", 1): 0.9, (twin, "gce", 1): 0.9, (twin, "gce", 0): 0.1,
              (CHAT, "gce", 0): 0.5, (CHAT, "gce", 1): 0.4, (MATH, "gce", 0): 0.3, (MATH, "gce", 1): None}  # fmt: skip
    assert method_table.pick(points, CODE, "gce") == 0
    assert method_table.pick(points, CHAT, "gce") == 1
    alone = {k: v for k, v in points.items() if k[0] == CODE}
    assert method_table.pick(alone, CODE, "gce") == 0, "with one testbed the defaults count"


def test_cells_are_run_once_and_kept(tiny_lab: LabFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run finds all cells; one that is gone is run again, alone. What cannot run says why."""
    toy = Problem.parse("toy")
    methods = ["vanilla", "gce", "dawid_skene", "platt"]
    todo = method_cells.cells([toy], methods, [0, 1], budget=2)
    seen: list[tuple[int, int]] = []
    method_cells.run_cells(tiny_lab, todo, 1, lambda done, total, last: seen.append((done, total)))
    assert seen == [(i, 6) for i in range(7)]
    todo[1].path(tiny_lab).unlink()
    real, again = method_cells._run, []
    monkeypatch.setattr(method_cells, "_run", lambda root, cell, s: (again.append(cell), real(root, cell, s)))
    method_cells.run_cells(tiny_lab, todo, 1)
    assert again == [todo[1]]
    assert todo[0].path(tiny_lab).is_relative_to(tiny_lab.sealed), "who was right on which row would be a label"

    table = method_table.collect(tiny_lab, [toy], methods, [0, 1], budget=2)
    lines = {m: table["methods"][m]["problems"][toy.name] for m in methods}
    assert "several teachers" in lines["dawid_skene"]["not_run"]
    assert lines["platt"]["acc"] > 0.5, "it was given trusted rows"
    assert lines["platt"]["gain"] is lines["platt"]["rank"] is table["methods"]["platt"]["mean_rank"] is None
    assert sum({lines[m]["rank"] for m in ("vanilla", "gce")}) in (3.0, 1.5)


def test_a_method_that_breaks_has_its_row_and_is_tried_again(
    tiny_lab: LabFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others' rows are made; the next run tries it anew."""
    todo = method_cells.cells([Problem.parse("toy")], ["soft", "vanilla"], [3, 4], budget=1)

    def broken(task: Any) -> None:
        raise ZeroDivisionError("by design")

    with monkeypatch.context() as patch:
        patch.setattr(library.get("soft"), "run", broken)
        method_cells.run_cells(tiny_lab, todo, 1)
    failed, fine = (method_cells.load(tiny_lab, cell) for cell in todo)
    assert (failed.failed, failed.not_run) == (True, "ZeroDivisionError: by design")
    assert fine.right is not None
    method_cells.run_cells(tiny_lab, todo, 1)
    assert method_cells.load(tiny_lab, todo[0]).right is not None


def test_a_method_without_end_is_given_up(tiny_lab: LabFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its row says how long it had; the next run does not try it again."""
    (cell,) = method_cells.cells([Problem.parse("toy")], ["soft"], [5, 6], budget=1)
    with monkeypatch.context() as patch:
        patch.setattr(library.get("soft"), "run", lambda task: time.sleep(60))
        method_cells.run_cells(tiny_lab, [cell], 1, limit_s=1.5)
    kept = method_cells.load(tiny_lab, cell)
    assert (kept.right, kept.failed, kept.not_run) == (None, False, "it takes longer than 2 s")
    ran: list[str] = []
    method_cells.run_cells(tiny_lab, [cell], 1, lambda done, total, last: ran.append(last))
    assert ran == [""]


KILLED = """
import sys
from pathlib import Path
from aar.scoring import method_cells
from aar.scoring.problem import Problem
from aar.settings import LabFolder
if __name__ == "__main__":
    todo = method_cells.cells([Problem.parse("toy")], ["vanilla", "soft", "confident", "gce"], [7, 8], budget=1)
    method_cells.run_cells(LabFolder(Path(sys.argv[1])), todo, 2, lambda done, *_: print(done, flush=True))
"""


@pytest.mark.soak
def test_a_killed_table_leaves_nobody_behind_and_goes_on(tiny_lab: LabFolder, tmp_path: Path) -> None:
    """kill -9 after the first cell: its workers end by themselves, what was done is kept, the rest is run."""
    (tmp_path / "t.py").write_text(KILLED)
    command = [sys.executable, str(tmp_path / "t.py"), str(tiny_lab.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as table:
        assert table.stdout is not None
        assert [table.stdout.readline() for _ in range(2)] == ["0\n", "1\n"]
        workers = psutil.Process(table.pid).children(recursive=True)
        table.kill()
    assert workers
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert alive == []
    again = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert 1 <= int(again[0]) <= 3
    assert again[-1] == "4"


class Exam:
    """A scorer of an invented problem of 300 rows: floor .6, ceiling .9."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.hard, self.ids, self.groups = rng.random(300), tuple(map(str, range(300))), np.arange(300)
        self.floor, self.ceiling = self.right(0.6), self.right(0.9)

    def right(self, accuracy: float) -> np.ndarray:
        return np.tile((self.hard < accuracy).astype(float), (4, 1))

    def pgr(self, right: np.ndarray) -> Any:
        value = float((right.mean() - self.floor.mean()) / (self.ceiling.mean() - self.floor.mean()))
        return Interval(value, value, value, 0.0, 4)


def test_gains_are_over_the_best_human_baseline() -> None:
    """Better, worse and equal methods are told apart; the human baseline itself has no gain."""
    exam = Exam(0)
    accuracy = {"vanilla": 0.65, "logconf": 0.75, "gce": 0.85, "sce": 0.75, "peer": 0.5}
    outcomes = {m: method_cells.Outcome(exam.right(a), 1.0) for m, a in accuracy.items()}
    lines = method_table._compared(exam, outcomes)  # type: ignore[arg-type]
    assert method_table.best_human(lines) == "logconf"
    assert lines["logconf"]["gain"] is None
    assert lines["gce"]["gain"]["lo"] > 0 > lines["peer"]["gain"]["hi"]
    assert lines["sce"]["gain"]["mean"] == 0
    assert lines["peer"]["together"]["hi"] < 0, "worse than its teacher"
    assert [lines[m]["rank"] for m in ("gce", "logconf", "sce", "vanilla", "peer")] == [1, 2.5, 2.5, 4, 5]


def test_what_carries_over_was_chosen_elsewhere() -> None:
    """The method that leads on the other testbeds is compared, even where another leads here."""
    beds = [Problem("code"), Problem("chat"), Problem("math")]
    scorers = {p.name: Exam(i) for i, p in enumerate(beds)}
    accuracy = {(CODE, "gce"): 0.7, (CODE, "sce"): 0.88, (CODE, "logconf"): 0.75}
    found = {
        (p.name, m, 0): method_cells.Outcome(scorers[p.name].right(accuracy.get((p.name, m), a)), 1.0)
        for p in beds for m, a in (("gce", 0.85), ("sce", 0.62), ("logconf", 0.7))
    }  # fmt: skip
    points = {k: scorers[k[0]].pgr(o.right).mean for k, o in found.items() if o.right is not None}
    told = method_table.transfer(points, beds, ["gce", "sce", "logconf"], scorers, found)  # type: ignore[arg-type]
    assert told[CODE]["method"] == "gce"
    assert told[CODE]["human"] == "logconf"
    assert told[CODE]["gain"]["hi"] < 0
    assert told[CHAT]["gain"]["lo"] > 0


def test_families_are_compared_with_the_average_method() -> None:
    """By hand: floor .6, ceiling .9; losses at .85 and .75, imitation at .7 and .6, so the average is .725 and the families
    gain +-.075 / .3 = +-.25. A method with trusted rows is not among them."""
    exam = Exam(2)
    accuracy = {"gce": 0.85, "sce": 0.75, "vanilla": 0.7, "soft": 0.6, "active": 0.9}
    outcomes = {m: method_cells.Outcome(exam.right(a), 1.0) for m, a in accuracy.items()}
    found = method_table.kinds(exam, outcomes)  # type: ignore[arg-type]
    gap = exam.ceiling.mean() - exam.floor.mean()
    by_hand = {
        f: np.mean([exam.right(a).mean() for a in of]) for f, of in (("loss", (0.85, 0.75)), ("imitation", (0.7, 0.6)))
    }
    assert set(found) == {"loss", "imitation"}
    for family, mean in by_hand.items():
        assert found[family]["mean"] == pytest.approx((mean - np.mean(list(by_hand.values()))) / gap, abs=1e-3)  # type: ignore[index]
    assert found["loss"]["lo"] > 0 > found["imitation"]["hi"]  # type: ignore[index]


def test_what_knows_trusted_rows_is_not_compared() -> None:
    """It has its PGR; it changes nobody's rank, is no human baseline to beat and is not what is chosen elsewhere."""
    beds = [Problem("code"), Problem("chat")]
    scorers = {p.name: Exam(i) for i, p in enumerate(beds)}
    accuracy = {"gce": 0.7, "logconf": 0.65, "critic": 0.88, "active": 0.89}
    outcomes = {m: method_cells.Outcome(scorers[CODE].right(a), 1.0) for m, a in accuracy.items()}
    lines = method_table._compared(scorers[CODE], outcomes)  # type: ignore[arg-type]
    assert [lines[m]["rank"] for m in accuracy] == [1, 2, None, None]
    assert lines["active"]["pgr"]["mean"] > 0.8
    assert lines["active"]["gain"] is lines["active"]["together"] is None
    assert method_table.best_human(lines) == "logconf"
    found = {
        (p.name, m, 0): method_cells.Outcome(scorers[p.name].right(a), 1.0) for p in beds for m, a in accuracy.items()
    }
    points = {k: scorers[k[0]].pgr(o.right).mean for k, o in found.items() if o.right is not None}
    told = method_table.transfer(points, beds, list(accuracy), scorers, found)  # type: ignore[arg-type]
    assert (told[CODE]["method"], told[CODE]["human"]) == ("gce", "logconf")


def test_another_code_is_another_cell(tiny_lab: LabFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A cell is found again only under the same method code, setting, seeds and problem."""
    cell = method_cells.Cell("toy", "vanilla", {}, (0, 1))
    others = [method_cells.Cell("toy", "vanilla", {}, (0, 2)), method_cells.Cell("toy", "gce", {}, (0, 1)),
              method_cells.Cell("toy", "vanilla", {"x": 1}, (0, 1))]  # fmt: skip
    names = {c.path(tiny_lab).name for c in (cell, *others)}
    changed = tmp_path / "vanilla.py"
    changed.write_text("changed")
    monkeypatch.setattr(library, "source_file", lambda name: changed)
    method_cells._digest.cache_clear()
    names.add(cell.path(tiny_lab).name)
    method_cells._digest.cache_clear()
    assert len(names) == 5
