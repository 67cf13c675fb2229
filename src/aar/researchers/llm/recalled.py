"""What an agent still knows of its calls after it was killed: less than was done, for it writes its memory down behind its back.

So it is told every answer that its own memory lacks, by the number of the call, and what it was told so counts as known from
then on. Its memory lies where it can write: whoever alters it deceives himself, and nothing is done again because of it.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aar.errors import MethodError
from aar.sandboxes import results

MEMORY_CAP = 1 << 28  # read whole, and written by the researcher
TOLD = re.compile(r"^call (\d+), (\w+): ", re.MULTILINE)
MOST = 50  # calls that are told; before these it has heard of later ones


@dataclass(frozen=True)
class Call:
    """`number`: from 1, over all sessions."""

    number: int
    tool: str
    args: dict[str, Any]
    answer: str

    def __str__(self) -> str:
        return f"call {self.number}, {self.tool}: {self.answer}"


def unheard(calls: Sequence[Call], folder: Path, name: str, prefix: str) -> list[Call]:
    """Calls whose answers are not in the memory folder/name, a conversation in Claude Code's JSON lines, where tools of the lab
    are called by `prefix` and their name."""
    answered, told = defaultdict[str, list[str]](list), set[int]()
    asked: dict[str, str] = {}
    for role, block in _blocks(folder, name):
        kind = block.get("type")
        if kind == "tool_use":
            asked[str(block.get("id"))] = _same(str(block.get("name")).removeprefix(prefix), block.get("input"))
        elif kind == "tool_result" and (same := asked.pop(str(block.get("tool_use_id")), None)):
            answered[same].append(_text(block.get("content")))
        elif kind == "text" and role == "user":
            told |= {int(found[1]) for found in TOLD.finditer(str(block.get("text")))}
    left = []
    for call in calls:
        heard = answered[_same(call.tool, call.args)]
        if call.number in told:
            continue
        mine = next((text for text in heard if text.startswith(call.answer)), None)
        if mine is not None:
            heard.remove(mine)
        else:  # not there, or in its place that it was interrupted
            left.append(call)
    return left[-MOST:]


def _same(tool: str, args: Any) -> str:
    return f"{tool} {json.dumps(args, sort_keys=True)}"


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content)


def _blocks(folder: Path, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        raw = results.read_bytes(folder, name, MEMORY_CAP)
    except (MethodError, OSError):
        return  # it has none: it is told everything
    for line in raw.splitlines():
        try:
            message = json.loads(line)["message"]
            role, said = str(message["role"]), message["content"]
            content = [{"type": "text", "text": said}] if isinstance(said, str) else list(said)
        except (ValueError, KeyError, TypeError, RecursionError):
            continue  # cut by a kill, or not a message
        for block in content:
            if isinstance(block, dict):
                yield role, block
