"""Findings as files and as data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aar.researchers.base import clean
from aar.researchers.findings import data_of, read_findings, sync_findings, with_data

POST = {
    "id": 1,
    "kind": "result",
    "title": "t",
    "body": "b",
    "researcher": "ada",
    "standing": "unverified",
    "runs": [3],
    "builds_on": [],
}


class Forum:
    def __init__(self, posts: list[dict[str, Any]]) -> None:
        self.posts = posts

    def findings(self, **query: Any) -> list[dict[str, Any]]:
        return self.posts[query["offset"] : query["offset"] + query["limit"]]


def test_syncing_writes_what_is_new_or_changed(tmp_path: Path) -> None:
    """All pages, each finding once, again when its standing changed."""
    posts = [POST | {"id": i} for i in range(1, 451)]
    assert sync_findings(Forum(posts), tmp_path) == 450
    assert sync_findings(Forum(posts), tmp_path) == 0
    posts[7] = posts[7] | {"standing": "disqualified"}
    assert sync_findings(Forum(posts), tmp_path) == 1
    found = read_findings(tmp_path)
    assert [f.id for f in found] == list(range(1, 451))
    assert found[7].standing == "disqualified"
    assert not list(tmp_path.glob("*.part"))


def test_files_that_are_no_findings_are_left_out(tmp_path: Path) -> None:
    """A link, another form, broken JSON: as if they were not there."""
    (tmp_path / "1.json").write_text(json.dumps(POST))
    (tmp_path / "2.json").write_text("{}")
    (tmp_path / "3.json").write_text("{")
    (tmp_path / "4.json").symlink_to(tmp_path / "1.json")
    assert [f.id for f in read_findings(tmp_path)] == [1]


def test_data_goes_through_a_body() -> None:
    """What a program writes below the words, a program reads back."""
    data = {"recipe": {"layer": 7}, "pgr": None}
    assert data_of(with_data("Some words.\n```python\nx\n```", data)) == data


@pytest.mark.parametrize(
    "body",
    [
        "",
        "```json\n{\n```",
        "```json\n[1]\n```",
        "```json\n" + "[" * 100 + "\n```",
        '```json\n{"a": NaN}\n```',
        "```json\n\ud800\n```",
    ],
)
def test_bodies_without_data(body: str) -> None:
    """Words alone, broken or too deep JSON, no object: nothing, and no error."""
    assert data_of(body) == {}


def test_clean_text_is_one_harmless_line() -> None:
    """No escape, no line break, no change of direction, and not without end."""
    assert clean("a\x1b]0;x\x07\r\n‮b⁦" + "c" * 999, 20) == "a ]0;x   " + " b " + "c" * 8
