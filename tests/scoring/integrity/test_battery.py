"""The battery: every check is found and fed; and, once, the real thing on a small lab in the real sandbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aar.attacks.field.desk import Desk
from aar.errors import ProviderDown
from aar.sandboxes import Limits, available
from aar.scoring.integrity import battery, canary
from aar.scoring.integrity.case import Answer, Case, checks
from aar.scoring.integrity.reruns import Reruns
from aar.scoring.integrity.stand_in import embedded
from aar.scoring.layout import student_folder
from aar.scoring.problem import Problem
from aar.scoring.rerun import RerunRules, rerun
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder

SOLVER = b"""
import numpy as np
from aar.types import Predictions
KIND = ("helped", "thanked", "praised", "hugged", "welcomed", "cheered", "comforted", "greeted")
def run(task):
    return Predictions(task.test.ids, np.array([.9 if any(k in t.second for k in KIND) else .1 for t in task.test.texts]))
"""


def test_all_checks_are_found_by_scanning() -> None:
    """One file each; what they need is known to the reruns."""
    assert set(checks.names()) >= {
        "teacher dependence", "student dependence", "dataset shortcut", "seed-picking", "claimed figure", "query patterns", "canary",
        "memorised predictions", "mismatched features", "embedded data", "execution", "repeat", "copying", "near-equal code",
    }  # fmt: skip


def test_each_alteration_is_run_once_and_an_honest_method_is_silent(
    worlds: list[Any], audit: Callable[..., Case]
) -> None:
    """The report of an honest method holds its board and nothing to look at."""
    for i, world in enumerate(worlds[:5]):
        case, asked = audit(world, "naive", i), []

        def answer(name: str, asked: list[str] = asked) -> Answer | None:
            asked.append(name)
            return None

        report = battery.examine(case, answer)
        assert sorted(asked) == ["mismatched", "random student", "tripwires"], "the others are in the case already"
        assert (report.flagged, report.board, len(report.findings)) == (False, "teacher-supervised", 1)
        assert report.accuracy["as submitted"] > 0.6


def test_one_flag_among_notes_is_enough_and_comes_first(worlds: list[Any], audit: Callable[..., Case]) -> None:
    """A person reads what there is to decide before what there is to know; a note alone asks for nobody."""
    case = audit(worlds[0], "naive", 0)
    report = battery.examine(case, lambda name: None)
    assert ([f.level for f in report.findings], report.flagged) == (["note"], False)
    went_off = {"tripwires": Answer(case.p, touched=("part1.tmp",))}
    report = battery.examine(case, went_off.get)
    assert [f.label for f in report.findings] == ["runs the judged code", "teacher-supervised"]
    assert (report.flagged, report.board) == (True, "teacher-supervised")


def test_random_words_know_the_words_alone() -> None:
    """The same words give the same features; another key gives others."""
    a, b, c = embedded(["Bo helped Ada", "Ada helped Bo", "nobody came"], 32, 1)
    assert np.allclose(a, b)
    assert not np.allclose(a, c)
    assert not np.allclose(embedded(["Bo helped Ada"], 32, 2)[0], a)


def test_in_the_sandbox(tiny_lab: LabFolder, tmp_path: Path) -> None:
    """A solver in code on the small lab, real features, two seeds: every alteration runs, and none of them makes it worse."""
    limits = Limits(wall_s=120, memory_mb=1500, pids=48, disk_mb=48, output_mb=0.5)
    problem, files, name = Problem.parse("toy"), {"method.py": SOLVER}, "battery"
    try:
        desk = Desk(available(), tmp_path, student_folder(problem), replace(limits, wall_s=3600))
    except ProviderDown as error:
        pytest.skip(error.message)
    rules = RerunRules(seeds=2, limits=limits)
    try:
        rerun(tiny_lab, desk, problem, name, files, rules)
        case = battery.scored_case(tiny_lab, problem, name, files)
        peeked = battery.scored_case(tiny_lab, problem, name, {"x": Sealed(tiny_lab).canary("toy").encode()})
        reruns = Reruns(tiny_lab, desk, problem, name, files, case.ids, rules)
        report = battery.examine(case, reruns)
    finally:
        desk.close()
    assert [f.check for f in canary.find(peeked)] == ["canary"]
    assert canary.find(case) == []
    assert set(report.accuracy.values()) == {1.0}
    assert "tripwires" not in report.accuracy, "no row of this testbed holds code"
    assert not list(tiny_lab.runs.glob("*"))
    assert report.board == "teacher-free"
    assert reruns.alone is not None
    assert reruns.alone.shape == case.p.shape
