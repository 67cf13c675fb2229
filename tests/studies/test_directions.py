"""Directions of a study: packaged, none, a file's, drawn by a model and paid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aar.cli.main import main
from aar.errors import InputError, NotFound, ProviderDown
from aar.researchers import starts
from aar.researchers.base import Llm
from aar.researchers.llm.draw import _read, draw
from aar.researchers.llm.purse import Purse
from aar.settings import LabFolder
from aar.studies.directions import choose
from aar.studies.spec import StudyFolder


def never() -> list[str]:
    raise AssertionError("no model was asked for")


def test_packaged_none_and_files(tmp_path: Path) -> None:
    """In the order of their naming; nothing wanted is the nine and none; what is neither is told what there is."""
    path = tmp_path / "margins.md"
    path.write_text("Look at margins.\n")
    assert choose([], never) == (starts.names(), {})
    assert choose(["none"], never) == (["none"], {})
    assert choose([str(path), "kept-doubt"], never) == (["margins", "kept-doubt"], {"margins": "Look at margins."})
    path.write_text("x" * 601)
    for wanted, kind in ((str(path), InputError), (str(tmp_path / "gone.md"), InputError), ("margins", NotFound)):
        with pytest.raises(kind):
            choose([wanted], never)


def test_a_study_with_drawn_directions(
    made_lab: LabFolder, quick_lab: LabFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    """One each, in the spec and in what its researcher is told; the answer is in the purse."""
    pytest.importorskip("inspect_ai", reason='the extra "llm" is not installed')
    (card,) = (quick_lab.root / "problems").glob("*/card.json")
    problem = json.loads(card.read_text())["problem"]
    line = ["study", "new", "d", "--problem", problem, "--search", "0", "--random", "1", "--team", "inspect=3"]
    assert main([*line, "--model", "scripted", "--direction", "draw", "--lab", str(quick_lab.root), "--json"]) == 0
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    spec = StudyFolder(quick_lab, "d").load()
    written = json.loads(json.dumps(spec.as_json()))
    assert written == {**shown, "researchers": written["researchers"]}
    directions = [starts.of(spec.assignment(m)) for m in spec.researchers]
    assert [d.name for d in directions] == ["none", "draw-1", "draw-2", "draw-3"]
    assert len({d.text for d in directions}) == 4
    assert all("teacher" in d.text for d in directions[1:])
    (paid,) = Purse(quick_lab.spending).settled("d")
    assert 0 < paid.usd < 0.01
    assert paid.settled
    assert paid.settled["tokens_in"] > 100


def test_a_cap_holds_for_drawing_too(tmp_path: Path) -> None:
    pytest.importorskip("inspect_ai", reason='the extra "llm" is not installed')
    from aar.researchers.base import Stopped

    with pytest.raises(Stopped):
        draw(LabFolder(tmp_path), "s", "toy", 3, Llm("scripted", usd_study=0.001))


def test_what_a_model_says_is_cleaned() -> None:
    """Bullets, control characters and length; too few are no answer."""
    told = "1. Look at the margins of the teacher.\n\n- \x1b[2JAsk where its doubt comes from, slowly.\n"
    assert _read(told, 2) == ["Look at the margins of the teacher.", "[2JAsk where its doubt comes from, slowly."]
    with pytest.raises(ProviderDown, match="gave 2"):
        _read(told, 3)
