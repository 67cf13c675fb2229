"""The terminal's transcript: everything that was kept, nothing that a terminal would obey."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aar.cli.main import main
from aar.researchers.llm.transcript import Transcript
from aar.settings import LabFolder
from aar.studies.spec import StudyFolder, StudySpec, team
from aar.studies.transcript import entries

CALL = {"id": "1", "function": "bash", "arguments": {"command": "ls"}}
JOURNAL = [
    {"step": 0, "call": "model", "args": "", "t": 1.0},
    {
        "step": 0,
        "answer": {"model": "m", "message": {"content": "I look \x1b[2Jaround", "tool_calls": [CALL]}},
        "t": 2.0,
    },
    {"step": 1, "call": "bash", "args": "", "t": 2.1},
    {"step": 1, "answer": "a\nb [bold]c[/bold] \u202egnp.exe", "t": 2.5},
    {"step": 2, "call": "evaluate", "args": "", "t": 2.6},
    {"step": 2, "error": {"kind": "BudgetSpent", "message": "all used", "code": "x", "hint": ""}, "t": 2.7},
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = StudyFolder(LabFolder(tmp_path / "lab"), "a")
    folder.create(StudySpec("a", "toy", team("a", [("inspect", 1)], ["none"])))
    home = folder.home("a.inspect-1")
    home.mkdir()
    (home / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in JOURNAL) + '{"step": 3, "ca')
    return home


def test_a_journal(home: Path) -> None:
    """Thoughts, calls, results and refusals, in order; a cut line is left out; nothing moves the cursor or turns the text."""
    told = [(e.at, e.who, e.text) for e in entries(home)]
    assert told == [
        (2.0, "m", 'I look  [2Jaround\n-> bash({"command": "ls"})'),
        (2.5, "bash", "a\nb [bold]c[/bold]  gnp.exe"),
        (2.7, "evaluate", "refused: all used"),
    ]
    assert [e.text for e in entries(home, most=3)] == ["I l", "a\nb", "ref"]


def test_a_conversation(home: Path) -> None:
    """Of Claude Code: each message once, though it is sent again with every request."""
    kept, use = (
        Transcript(home / "model.jsonl"),
        {"type": "tool_use", "id": "1", "name": "Bash", "input": {"command": "ls"}},
    )
    asked = {"system": "s", "messages": [{"role": "user", "content": "begin"}]}
    answer = {"role": "assistant", "content": [{"type": "text", "text": "well"}, use]}
    kept.write(kept.keep(asked), {"ref": "r", "model": "m", "message": answer})
    result = {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "README"}]}
    more = {**asked, "messages": [*asked["messages"], answer, {"role": "user", "content": [result]}]}
    kept.write(kept.keep(more), {"ref": "r2", "model": "m", "message": {"content": [{"type": "text", "text": "done"}]}})
    told = [(e.who, e.text) for e in entries(home)]
    assert told == [("user", "begin"), ("m", 'well\n-> Bash({"command": "ls"})'), ("user", "<- README"), ("m", "done")]


def test_the_command(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Text for people without anything that a terminal obeys, JSON for programs, and the known names for a wrong one."""
    lab = ["--lab", str(home.parents[2])]
    assert main(["study", "transcript", "a", "a.inspect-1", *lab]) == 0
    said = capsys.readouterr().out
    assert "[2.5] bash\na\nb [bold]c[/bold]" in said
    assert "\x1b" not in said
    assert main(["study", "transcript", "a", "a.inspect-1", "--json", *lab]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 3
    assert main(["study", "transcript", "a", "nobody", *lab]) == 1
    assert "a.inspect-1" in capsys.readouterr().err


def test_the_other_commands(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it costs, and changing it."""
    lab = ["--lab", str(home.parents[2])]
    assert main(["study", "retune", "a", "--trials", "3", "--json", *lab]) == 0
    assert json.loads(capsys.readouterr().out)["trials"] == 3
    assert main(["study", "retune", "a", *lab]) == 1
    assert "nothing to change" in capsys.readouterr().err
    (home / "journal.jsonl").write_text('{"step": 0, "call": "x", "args": "", "t": 3600.0}\n')
    assert main(["study", "cost", "a", "--json", *lab]) == 0
    one, whole = json.loads(capsys.readouterr().out)
    assert (one["researcher"], one["wall_hours"], one["usd_per_hour"], whole["researcher"]) == (
        "a.inspect-1",
        1.0,
        0.0,
        None,
    )
    assert main(["study", "cost", "a", *lab]) == 0
    assert "wall h" in capsys.readouterr().out
