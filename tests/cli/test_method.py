"""`aar method`: finding, reading, copying, sweeping."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aar.cli.flags import parse_params, parse_seeds, parse_sweep
from aar.cli.main import main
from aar.errors import InputError
from aar.settings import LabFolder
from aar.task.runner import load_method


@pytest.fixture
def run(capsys: pytest.CaptureFixture):
    """run(*args) -> (exit code, parsed JSON)."""

    def run_json(*args: str) -> tuple[int, Any]:
        code = main(["method", *args, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run_json


def test_list_filters(run) -> None:
    """By family, by what a method needs and by what it does without; a wrong word names the known ones."""
    everything = {m["name"]: m for m in run("list")[1]}
    assert len(everything) >= 40
    losses = run("list", "--family", "loss")[1]
    assert {m["family"] for m in losses} == {"loss"}
    trusted = {m["name"] for m in run("list", "--needs", "labelled")[1]}
    assert {"active", "platt"} <= trusted
    assert trusted.isdisjoint(m["name"] for m in run("list", "--without", "labelled")[1])
    assert everything["vanilla"]["student"] == "any"
    assert everything["zero_shot"]["student"] == "one that scores"
    code, error = run("list", "--family", "losses")
    assert code == 1
    assert "selection" in error["error"]["hint"]


def test_list_on_a_problem(run, tiny_lab: LabFolder) -> None:
    """Only what that problem and its student offer: pairs, no votes, no trusted rows."""
    names = {m["name"] for m in run("list", "--on", "toy", "--lab", str(tiny_lab.root))[1]}
    assert {"vanilla", "ccs", "zero_shot"} <= names
    assert names.isdisjoint({"active", "dawid_skene", "platt"})


def test_show_tells_formula_source_and_departures(run) -> None:
    told = run("show", "logconf_openai")[1]
    assert told["formula"]
    assert "2312.09390" in told["source"]
    assert "divided" in told["departs"]
    assert run("show", "logconf_opnai")[0] == 1


def test_new_copies_a_working_method(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder holds a method.py with `run`; an existing folder is left alone."""
    monkeypatch.chdir(tmp_path)
    assert run("new", "mine", "--from", "co_teaching_plus")[0] == 0
    assert load_method(tmp_path / "mine").CARD.family == "selection"
    assert run("new", "mine", "--from", "gce")[0] == 1


def test_sweeps_are_all_combinations() -> None:
    """Values are numbers where they are numbers; a JSON list holds values with commas."""
    assert parse_sweep([]) == [{}]
    assert parse_sweep(["q=0.1,1", "label=hard,soft"]) == [
        {"q": 0.1, "label": "hard"}, {"q": 0.1, "label": "soft"}, {"q": 1, "label": "hard"}, {"q": 1, "label": "soft"},
    ]  # fmt: skip
    assert parse_sweep(['x=[{"a": 1}, null]']) == [{"x": {"a": 1}}, {"x": None}]
    assert parse_seeds("0-2,7") == [0, 1, 2, 7]
    assert parse_params(["a=true", "b=x"]) == {"a": True, "b": "x"}
    for wrong in (lambda: parse_params(["a"]), lambda: parse_seeds("a-b")):
        with pytest.raises(InputError):
            wrong()


def test_a_sweep_runs_every_setting(run, tiny_lab: LabFolder) -> None:
    code, told = run("run", "gce", "toy", "--sweep", "q=0.3,1", "--seeds", "0-1", "--lab", str(tiny_lab.root))
    assert code == 0
    assert [line["params"] for line in told["sweep"]] == [{"q": 0.3}, {"q": 1}]
    code, error = run("run", "gce", "toy", "-p", "quu=1", "--lab", str(tiny_lab.root))
    assert (code, error["error"]["code"]) == (1, "unknown_parameter")


def test_the_table_is_written_and_goes_on(run, tiny_lab: LabFolder, tmp_path: Path) -> None:
    """Table, page and picture; the second time nothing is run."""
    words = f"table toy --only soft --only platt --seeds 1-2 --jobs 1 --out {tmp_path} --lab {tiny_lab.root}"
    args = words.split()
    code, told = run(*args)
    assert code == 0
    assert set(told["methods"]) == {"soft", "platt"}
    assert {p.name for p in tmp_path.iterdir()} == {"table.json", "table.md", "table.png"}
    assert run(*args)[1] == told
