"""What a researcher thought and did, for a terminal: read from what is kept outside the sandbox as it happens.

The journal has every answer of a model and of each tool, for every arm; Claude Code's own conversation is in `model.jsonl`.
Everything in it is untrusted: control and direction-changing characters are taken out, long texts are cut.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aar.researchers.base import clean

MOST = 4000  # characters of one entry


@dataclass(frozen=True)
class Entry:
    """`at`: seconds of the researcher's working time, or Unix seconds of a conversation. `who`: the model, or a tool."""

    at: float
    who: str
    text: str


def entries(home: Path, most: int = MOST) -> Iterator[Entry]:
    """Of the researcher whose folder this is, oldest first; a line that was cut short by a kill is left out."""
    found = _conversation(home / "model.jsonl") if (home / "model.jsonl").exists() else _journal(home / "journal.jsonl")
    for at, who, text in found:
        yield Entry(at, clean(who, 80), "\n".join(clean(line, most) for line in text[:most].splitlines()))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for raw in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
        if raw.endswith(b"\n"):
            yield json.loads(raw)


def _journal(path: Path) -> Iterator[tuple[float, str, str]]:
    calls: dict[int, str] = {}
    for line in _lines(path):
        if "call" in line:
            calls[line["step"]] = line["call"]
            continue
        who: str = calls[line["step"]]
        answer: Any = line.get("answer")
        if error := line.get("error"):
            yield line["t"], who, f"refused: {error['message']}"
        elif who == "model":
            yield line["t"], str(answer.get("model", who)), _message(answer["message"])
        else:
            yield line["t"], who, answer if isinstance(answer, str) else json.dumps(answer)


def _conversation(path: Path) -> Iterator[tuple[float, str, str]]:
    """Each block once, when it was first sent, and each answer."""
    blocks, seen = dict[str, Any](), set[str]()
    for line in _lines(path):
        if "block" in line:
            blocks[line["block"]] = line["is"]
            continue
        for digest in line["messages"]:
            if digest not in seen and digest in blocks and blocks[digest]["role"] != "assistant":
                yield line["t"], blocks[digest]["role"], _message(blocks[digest])
            seen.add(digest)
        yield line["t"], line["model"], _message(line["answer"])


def _message(message: Any) -> str:
    """Text, calls and results of a message, as Inspect or a Messages API writes it."""
    content = message.get("content", "")
    parts = [content] if isinstance(content, str) else [_block(block) for block in content]
    for call in message.get("tool_calls") or ():
        parts.append(f"-> {call['function']}({json.dumps(call['arguments'])})")
    return "\n".join(part for part in parts if part)


def _block(block: dict[str, Any]) -> str:
    kind = block.get("type")
    if kind == "tool_use":
        return f"-> {block['name']}({json.dumps(block['input'])})"
    if kind == "tool_result":
        return "<- " + _message({"content": block.get("content") or ""})
    return str(block.get("text") or block.get("reasoning") or block.get("thinking") or "")
