"""The table of methods: kept cells, settings chosen elsewhere, and what the figures may be said to show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
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
    todo = method_cells.cells([toy], ["vanilla", "gce", "platt"], [0, 1], budget=2)
    seen: list[tuple[int, int]] = []
    method_cells.run_cells(tiny_lab, todo, 1, lambda done, total, last: seen.append((done, total)))
    assert seen == [(i, 5) for i in range(6)]
    todo[1].path(tiny_lab).unlink()
    real, again = method_cells._run, []
    monkeypatch.setattr(method_cells, "_run", lambda root, cell: (again.append(cell), real(root, cell)))
    method_cells.run_cells(tiny_lab, todo, 1)
    assert again == [todo[1]]
    assert todo[0].path(tiny_lab).is_relative_to(tiny_lab.sealed), "who was right on which row would be a label"

    table = method_table.collect(tiny_lab, [toy], ["vanilla", "gce", "platt"], [0, 1], budget=2)
    assert table["methods"]["platt"]["mean_rank"] is None
    assert "labelled" in table["methods"]["platt"]["problems"][toy.name]["not_run"]
    ranks = {table["methods"][m]["problems"][toy.name]["rank"] for m in ("vanilla", "gce")}
    assert sum(ranks) in (3.0, 1.5)


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
