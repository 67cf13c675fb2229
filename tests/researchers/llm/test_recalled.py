"""What a killed agent is told of its own calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aar.researchers.llm.recalled import Call, unheard

CALLS = [
    Call(1, "budget", {}, "{}"),
    Call(2, "share_finding", {"title": "a"}, '{"id": 1}'),
    Call(3, "budget", {}, "{}"),
    Call(4, "submit", {"folder": "/workspace/x"}, '{"submission": 1}'),
]


def said(role: str, *blocks: dict[str, Any] | str) -> str:
    content = blocks[0] if isinstance(blocks[0], str) else list(blocks)
    return json.dumps({"type": role, "message": {"role": role, "content": content}})


def used(id_: str, call: Call) -> str:
    return said("assistant", {"type": "tool_use", "id": id_, "name": f"mcp__lab__{call.tool}", "input": call.args})


def heard(id_: str, text: str) -> str:
    return said("user", {"type": "tool_result", "tool_use_id": id_, "content": [{"type": "text", "text": text}]})


def whole(id_: str, call: Call) -> list[str]:
    """Asked and answered; news may stand behind an answer."""
    return [used(id_, call), heard(id_, f"{call.answer}\n\nnews")]


def left(folder: Path, *lines: str) -> list[int]:
    (folder / "m.jsonl").write_text("\n".join(lines))
    return [call.number for call in unheard(CALLS, folder, "m.jsonl", "mcp__lab__")]


def test_what_its_memory_lacks_is_told(tmp_path: Path) -> None:
    first, second, third, fourth = CALLS
    known = [said("user", "the task"), *whole("a", first), *whole("b", second)]
    assert left(tmp_path, *known) == [3, 4]
    assert left(tmp_path, *known, used("c", third)) == [3, 4]  # asked, and not heard of
    assert left(tmp_path, *known[:3], *whole("d", fourth)) == [2, 3]
    assert left(tmp_path, *known, *whole("c", third), *whole("d", fourth)) == []


def test_an_interrupted_call_was_not_heard(tmp_path: Path) -> None:
    """Claude Code answers in the lab's place when it goes on: that is not what the lab said."""
    cut = [
        used("d", CALLS[3]),
        heard("d", "[Tool call interrupted: the session ended before this call's result was recorded]"),
    ]
    known = [line for n, call in enumerate(CALLS[:3]) for line in whole(str(n), call)]
    assert left(tmp_path, *known, *cut) == [4]
    assert left(tmp_path, *known, *cut, said("user", str(CALLS[3]))) == []


def test_what_it_was_told_counts_as_known_once_it_is_in_its_memory(tmp_path: Path) -> None:
    told = said("user", "\n\n".join(["the task", *map(str, CALLS[1:3])]))
    assert left(tmp_path, *whole("a", CALLS[0]), told) == [4]
    assert left(tmp_path, *whole("a", CALLS[0]), told[:-30]) == [2, 3, 4]  # cut by a kill


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\n[]\n{}\n3\n",
        b"[" * 100_000,
        b'{"message": {"role": "user", "content": [3]}}\n{"message": {"role": "user", "content": 3}}',
    ],
)
def test_a_broken_memory_is_told_everything(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.jsonl").write_bytes(content)
    assert len(unheard(CALLS, tmp_path, "m.jsonl", "")) == 4
    assert len(unheard(CALLS, tmp_path, "other.jsonl", "")) == 4


def test_a_link_in_its_place_leads_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside.jsonl"
    outside.write_text("\n".join([*whole("a", CALLS[0])]))
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk" / "m.jsonl").symlink_to(outside)
    assert len(unheard(CALLS, tmp_path / "desk", "m.jsonl", "mcp__lab__")) == 4
