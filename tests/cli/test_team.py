"""Teams on the command line: mixed lists, what an arm lacks is said before anything is built, seats for people."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aar.cli.main import main
from aar.cli.study import parse_arms
from aar.errors import AarError
from aar.researchers.base import Llm
from aar.settings import LabFolder
from aar.studies.spec import StudyFolder, StudySpec, team


def test_mixed_lists() -> None:
    """ARM=COUNT, ARM:COUNT, and an arm alone where a number is understood."""
    assert parse_arms(["inspect:3", " search=2"]) == [("inspect", 3), ("search", 2)]
    assert parse_arms(["claude", "human:1"], each=2) == [("claude", 2), ("human", 1)]
    for wrong in (["inspect"], ["inspect:many"], ["nobody:1"], [""]):
        with pytest.raises(AarError):
            parse_arms(wrong)


def test_a_demo_says_first_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model without a price, and one that Claude Code cannot think with: nothing is built."""
    for arm, model, code in (("inspect", "vllm/mine", "unknown_price"), ("claude", "openai/gpt-4o", "no_model")):
        line = ["demo", "--researchers", f"{arm}:1", "--model", model, "--lab", str(tmp_path / "lab"), "--json"]
        assert main(line) == 1
        assert json.loads(capsys.readouterr().out)["error"]["code"] in (code, "no_extra")
    assert not (tmp_path / "lab").exists()


def test_a_seat_that_nobody_keeps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who joins a study that does not run, or has no place for a person, is told what to do."""
    lab = LabFolder(tmp_path / "lab")
    for name, arm in (("a", "human"), ("b", "random")):
        StudyFolder(lab, name).create(StudySpec(name, "toy", team(name, [(arm, 1)], ["none"]), llm=Llm()))
    for name, hint in (("a", "aar study run"), ("b", "--team human=1")):
        assert main(["study", "join", name, "--lab", str(lab.root), "--json"]) == 1
        assert hint in json.loads(capsys.readouterr().out)["error"]["hint"]
