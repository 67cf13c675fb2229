"""A lab made within seconds (see `invented.py`), copied for each test, and the kill campaign's helpers."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from aar.researchers import starts
from aar.settings import LabFolder
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
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Audit heads and sockets of tests stay in the tests' folder."""
    monkeypatch.setenv("AAR_STATE", str(tmp_path / "outside"))
    monkeypatch.setenv("AAR_RUNTIME", str(tmp_path))


@pytest.fixture(scope="session")
def made_lab(tmp_path_factory: pytest.TempPathFactory) -> LabFolder:
    return load("invented").make_lab(tmp_path_factory.mktemp("made") / "lab")  # type: ignore[no-any-return]


@pytest.fixture
def quick_lab(made_lab: LabFolder, tmp_path: Path) -> LabFolder:
    """One's own copy."""
    shutil.copytree(made_lab.root, tmp_path / "lab")
    return LabFolder(tmp_path / "lab")


@pytest.fixture
def make_study(quick_lab: LabFolder) -> Callable[..., StudyFolder]:
    """`make_study("a", search=1, random=1, trials=2)`: written down, not started."""

    def make(name: str = "a", search: int = 1, random: int = 1, **budgets: float) -> StudyFolder:
        people = team(name, [("search", search), ("random", random)], starts.names())
        settings = {"wall_s": 120.0, "trials": 2, "seeds": 2, **budgets}
        folder = StudyFolder(quick_lab, name)
        folder.create(StudySpec(name, load("invented").PROBLEM.name, people, **settings))
        return folder

    return make


@pytest.fixture
def campaign() -> ModuleType:
    return load("campaign")
