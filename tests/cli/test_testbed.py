"""`aar testbed`: every command for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aar.cli.main import main

SIZES = ["--labeled", "20", "--unlabeled", "50", "--test", "40", "--private", "20", "--ood", "10"]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AAR_LAB", str(tmp_path / "lab"))
    return tmp_path / "lab"


@pytest.fixture
def run(capsys: pytest.CaptureFixture):
    """run(*args) -> (exit code, parsed JSON)."""

    def run_json(*args: str) -> tuple[int, Any]:
        code = main(["testbed", *args, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run_json


def test_build_list_show_check(lab: Path, run) -> None:
    """The life of a testbed, as a program sees it."""
    assert run("list")[1]["testbeds"] == []
    code, built = run("build", "toy", *SIZES)
    assert code == 0
    assert built["testbeds"][0]["counts"] == {"labeled": 20, "unlabeled": 50, "test": 40, "ood": 10, "private": 20}
    assert built["testbeds"][0]["changed"]
    assert not run("build", "toy", *SIZES)[1]["testbeds"][0]["changed"]
    assert [card["name"] for card in run("list")[1]["testbeds"]] == ["toy"]
    shown = run("show", "toy", "--rows", "3")[1]
    assert [set(row) for row in shown["sample"]] == [{"id", "prompt", "first", "second"}] * 3
    assert run("check")[1] == {"intact": ["toy"]}


def test_check_fails_where_something_differs(lab: Path, run) -> None:
    """Exit code 1, and the message names the file."""
    run("build", "toy", *SIZES)
    (lab / "testbeds" / "toy" / "test.jsonl").write_text("")
    code, answer = run("check", "toy")
    assert code == 1
    assert "test.jsonl: content differs" in answer["error"]["message"]


def test_import_reports_its_notes(lab: Path, run, tmp_path: Path) -> None:
    """What was drawn or is missing is in the answer; a bad folder is exit code 1 with a hint."""
    folder = tmp_path / "rows"
    folder.mkdir()
    for stem, n in (("train_labeled", 4), ("train_unlabeled", 12), ("test", 20)):
        rows = [{"question": f"{stem} {i}?", "choice": "c", "label": i % 2 == 0} for i in range(n)]
        (folder / f"{stem}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, card = run("import", str(folder), "--name", "mine")
    assert (code, card["name"], card["kind"]) == (0, "mine", "binary")
    assert card["counts"]["private"] == 8
    assert any("private" in note for note in card["notes"])
    (folder / "test.jsonl").write_text("junk\n")
    code, answer = run("import", str(folder), "--name", "other")
    assert code == 1
    assert "test.jsonl:1" in answer["error"]["message"]
    assert answer["error"]["hint"]


def test_people_get_tables(lab: Path, capsys: pytest.CaptureFixture) -> None:
    """Without --json: a table on standard output, progress on standard error, no label anywhere."""
    assert main(["testbed", "build", "toy", *SIZES]) == 0
    captured = capsys.readouterr()
    assert "building toy" in captured.err
    assert all(word in captured.out for word in ("toy", "pair", "private"))
    assert main(["testbed", "build", "toy", *SIZES]) == 0
    assert "nothing was done" in capsys.readouterr().out
    assert main(["testbed", "list"]) == 0
    assert main(["testbed", "show", "toy"]) == 0
    shown = capsys.readouterr().out
    assert "prompt: What did" in shown
    assert "label:" not in shown
    assert main(["testbed", "check"]) == 0
    assert "intact: toy" in capsys.readouterr().out


def test_lab_option_wins_over_the_environment(lab: Path, tmp_path: Path, run) -> None:
    """--lab DIR, else $AAR_LAB."""
    other = tmp_path / "other"
    run("build", "toy", *SIZES, "--lab", str(other))
    assert (other / "testbeds" / "toy").is_dir()
    assert not lab.exists()


def test_impossible_sizes_are_wrong_usage(lab: Path, run) -> None:
    """A negative size is caught before anything is drawn."""
    assert run("build", "toy", "--test", "-1")[0] == 2
    assert not lab.exists()
