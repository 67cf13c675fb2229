"""A lab of its own for each test, and folders of rows to import."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aar.settings import LabFolder

Row = dict[str, Any]
Folder = dict[str, list[Row]]


@pytest.fixture
def lab(tmp_path: Path) -> LabFolder:
    return LabFolder(tmp_path / "lab")


def claims(stem: str, questions: int = 4, choices: int = 4) -> list[Row]:
    """`questions` x `choices` rows, every other choice right."""
    return [
        {"question": f"{stem} question {q}?", "choice": f"{stem} answer {q}.{c}", "label": c % 2 == 1}
        for q in range(questions)
        for c in range(choices)
    ]


def pairs(stem: str, n: int = 8) -> list[Row]:
    return [
        {"prompt": f"{stem} prompt {i}", "first": f"{stem} first {i}", "second": f"{stem} second {i}", "label": i % 2}
        for i in range(n)
    ]


@pytest.fixture
def claim_folder() -> Folder:
    """The rows of a sound binary folder, by file stem."""
    return {"train_labeled": claims("l"), "train_unlabeled": claims("u", 10), "test": claims("t", 10)}


@pytest.fixture
def pair_folder() -> Folder:
    return {"train_labeled": pairs("l"), "train_unlabeled": pairs("u", 20), "test": pairs("t", 20)}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """write(folder) -> a directory of .jsonl files."""

    def write_folder(folder: Folder, name: str = "rows") -> Path:
        path = tmp_path / name
        path.mkdir(exist_ok=True)
        for stem, rows in folder.items():
            (path / f"{stem}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    return write_folder
