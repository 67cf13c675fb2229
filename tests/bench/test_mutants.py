"""The list of mutants fits the code, covers every check, and tells what was noticed from what was not."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

import aar


@pytest.fixture(scope="module")
def mutants(repository: Path) -> ModuleType:
    path = repository / "bench" / "mutants.py"
    if not path.exists():
        pytest.skip("bench/ is not part of a source distribution")
    spec = importlib.util.spec_from_file_location("mutants", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "mutants", module)
        spec.loader.exec_module(module)
    return module


def test_the_list_fits_the_code_and_its_tests(mutants: ModuleType, repository: Path) -> None:
    """Each old text stands there once, and each test that is named exists."""
    for mutant in mutants.load():
        assert mutant.old != mutant.new
        for test in mutant.tests:
            file, _, name = test.partition("::")
            assert f"def {name}" in (repository / "tests" / file).read_text(), test


def test_every_check_is_broken_in_two_ways_at_least(mutants: ModuleType) -> None:
    """Whoever adds a check adds what its tests must notice."""
    folder = Path(aar.__file__).parent / "scoring" / "integrity"
    broken = Counter(Path(m.file).name for m in mutants.load("^scoring/integrity/"))
    assert [f.name for f in folder.glob("*.py") if f.read_text() and broken[f.name] < 2] == []


def test_a_text_that_is_gone_or_there_twice_is_said(mutants: ModuleType) -> None:
    """The list cannot rot in silence."""
    for source in ("y", "x x"):
        with pytest.raises(mutants.Stale, match="not once"):
            mutants.Mutant("promise", "file.py", "x", "z", []).broken(source)


def test_what_is_noticed_is_told_from_what_is_not(mutants: ModuleType, tmp_path: Path) -> None:
    """A small package with one good test and one that cannot fail; a name that no test has is an error."""
    package, tests = tmp_path / "src" / "aar", tmp_path / "tests"
    for folder in (package, tests):
        folder.mkdir(parents=True)
    (package / "__init__.py").write_text("def double(x):\n    return x * 2\n")
    (tests / "test_double.py").write_text(
        "from aar import double\ndef test_good():\n    assert double(3) == 6\ndef test_bad():\n    assert double(2) == 4\n"
    )

    def told(test: str) -> tuple[bool, str]:
        mutant = mutants.Mutant("twice as much", "__init__.py", "x * 2", "x + 2", [f"test_double.py::{test}"])
        mutants.check_whole(tmp_path, [mutant])
        outcome = mutants.run(mutant, tmp_path)
        return outcome.killed, outcome.by

    assert told("test_good") == (True, "test_double.py::test_good")
    assert told("test_bad") == (False, "")
    with pytest.raises(mutants.Stale, match="no_such_test"):
        told("no_such_test")
