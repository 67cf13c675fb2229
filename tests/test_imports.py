"""The diagram of the layers is true: imports go one way, and gold labels have one reader and one writer."""

from __future__ import annotations

import ast
from pathlib import Path

import grimp
import pytest

import aar

BASE = ("types", "errors", "settings", "registry")
# Opening a task opens its student, so `task` stands on `models`; no model knows of tasks.
FOLDERS = (
    "testing models task methods testbeds teachers sandboxes executors scoring lab researchers studies analysis dashboard attacks "
    "bench cli"
)
LEVEL = dict.fromkeys(BASE, 0) | {name: 1 + i for i, name in enumerate(FOLDERS.split())}
SOURCE = Path(aar.__file__).parent


GOLD_FILE = "gold" + ".jsonl"
DECOYS = {"aar.sandboxes.isolation"}  # plants a file of that name, for hostile programs to reach for


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("aar", cache_dir=None)


def test_imports_go_one_way(graph: grimp.ImportGraph) -> None:
    """No module imports from a folder above its own. `aar` itself is the front door, free both ways."""
    upward = [
        f"{importer} -> {imported}"
        for importer in graph.modules - {"aar"}
        for imported in graph.find_modules_directly_imported_by(importer) - {"aar"}
        if level(importer) < level(imported)
    ]
    assert upward == []
    assert len(graph.modules) > 20


def level(module: str) -> int:
    return LEVEL[module.split(".")[1]]


def test_every_folder_has_a_level() -> None:
    """A new folder must be given its place in the order."""
    folders = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    modules = {path.stem for path in SOURCE.glob("[!_]*.py")}
    assert folders | modules == LEVEL.keys()


def test_sandboxed_code_knows_no_labels(graph: grimp.ImportGraph) -> None:
    """What a sandbox mounts imports nothing that could open a testbed, not even through others."""
    for mounted in ("aar.task", "aar.models", "aar.methods"):
        for above in ("aar.testbeds", "aar.scoring", "aar.lab"):
            assert graph.find_shortest_chains(mounted, above) == set()


def test_gold_labels_have_one_reader(graph: grimp.ImportGraph) -> None:
    """Only the sealing and scoring/sealed.py name the gold file or find the sealed folder of a testbed."""
    named = {name for name, source in sources(graph) if opens_gold(source)}
    assert named - DECOYS == {"aar.scoring.sealed", "aar.testbeds.sealing"}
    located = {name for name, source in sources(graph) if ".sealed_testbed(" in source}
    assert located == {"aar.scoring.sealed", "aar.testbeds.sealing", "aar.testbeds.manifest"}


def test_labels_reach_trusted_folders_only(graph: grimp.ImportGraph) -> None:
    """Researchers and the dashboard never import the reader of gold labels themselves."""
    importers = graph.find_modules_that_directly_import("aar.scoring.sealed")
    assert not [name for name in importers if name.startswith(("aar.researchers", "aar.dashboard"))]


@pytest.mark.parametrize(
    ("source", "opens"),
    [
        (f"path = folder / '{GOLD_FILE}'", True),
        (f"path = f'{{folder}}/{GOLD_FILE}'", True),
        ("from aar.testbeds.sealing import GOLD", True),
        ("from aar.testbeds import sealing\npath = sealing.GOLD", True),
        (f"def f():\n    'writes `{GOLD_FILE}`'", False),
        ("from aar.testbeds.sealing import seal", False),
    ],
)
def test_the_check_itself_sees_gold(source: str, opens: bool) -> None:
    """Planted breaches are found; prose about the file is not one."""
    assert opens_gold(source) == opens


def opens_gold(source: str) -> bool:
    """Whether code, not prose, names the gold file or imports its name."""
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return any(
        (isinstance(node, ast.Constant) and GOLD_FILE in str(node.value) and id(node) not in prose)
        or (isinstance(node, ast.alias) and node.name == "GOLD")
        or (isinstance(node, ast.Attribute) and node.attr == "GOLD")
        for node in ast.walk(tree)
    )


def sources(graph: grimp.ImportGraph) -> list[tuple[str, str]]:
    found = []
    for module in graph.modules:
        stem = SOURCE.joinpath(*module.split(".")[1:])
        path = stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")
        found.append((module, path.read_text()))
    return found
