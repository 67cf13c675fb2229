"""A lab made within seconds (see `invented.py`), copied for each test, and the kill campaign's helpers."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import pytest

from aar.researchers import starts
from aar.settings import LabFolder
from aar.studies.runner import run_study
from aar.studies.spec import StudyFolder, StudySpec, team


def load(name: str) -> ModuleType:
    """A helper file beside this one."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
    assert spec
    assert spec.loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Audit heads and sockets of tests stay in the tests' folder."""
    monkeypatch.setenv("AAR_STATE", str(tmp_path / "outside"))
    monkeypatch.setenv("AAR_RUNTIME", str(short))
    monkeypatch.setenv("AAR_RERUN_SEEDS", "2")


@pytest.fixture(scope="session")
def made_lab(tmp_path_factory: pytest.TempPathFactory) -> LabFolder:
    return load("invented").make_lab(tmp_path_factory.mktemp("made") / "lab")  # type: ignore[no-any-return]


@pytest.fixture
def quick_lab(made_lab: LabFolder, tmp_path: Path) -> LabFolder:
    """One's own copy."""
    shutil.copytree(made_lab.root, tmp_path / "lab")
    return LabFolder(tmp_path / "lab")


def new_study(lab: LabFolder, name: str = "a", search: int = 1, random: int = 1, **budgets: Any) -> StudyFolder:
    people = team(name, [("search", search), ("random", random)], starts.names())
    settings = {"wall_s": 900.0, "trials": 2, "seeds": 2, **budgets}
    folder = StudyFolder(lab, name)
    folder.create(StudySpec(name, load("invented").PROBLEM.name, people, **settings))
    return folder


@pytest.fixture
def make_study(quick_lab: LabFolder) -> Callable[..., StudyFolder]:
    """`make_study("a", search=1, random=1, trials=2)`: written down, not started."""
    return lambda *args, **budgets: new_study(quick_lab, *args, **budgets)


@pytest.fixture
def write_study() -> Callable[..., StudyFolder]:
    """The same in a lab of one's own."""
    return new_study


@pytest.fixture(scope="session")
def ended_lab(made_lab: LabFolder, tmp_path_factory: pytest.TempPathFactory) -> LabFolder:
    """A lab where the studies `a` and `b` ran at the same time, to their ends. Copy it before changing anything."""
    home = tmp_path_factory.mktemp("ended")
    shutil.copytree(made_lab.root, home / "lab")
    lab = LabFolder(home / "lab")
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory(prefix="a-") as short:
        patch.setenv("AAR_STATE", str(home / "outside"))
        patch.setenv("AAR_RUNTIME", short)
        patch.setenv("AAR_RERUN_SEEDS", "2")
        folders = [new_study(lab, name, trials=1, evaluations=1) for name in ("a", "b")]
        with ThreadPoolExecutor() as pool:
            ends = list(pool.map(lambda folder: run_study(lab, folder.name), folders))
    assert [end.complete for end in ends] == [True, True]
    return lab


@pytest.fixture
def ended(ended_lab: LabFolder, tmp_path: Path) -> LabFolder:
    """One's own copy of the lab of `ended_lab`."""
    shutil.copytree(ended_lab.root, tmp_path / "lab")
    return LabFolder(tmp_path / "lab")


@pytest.fixture
def campaign() -> ModuleType:
    return load("campaign")
