"""A researcher without a mind, behind the fake Messages API: it reads, fails, debugs, asks, shares, builds on others, submits.

A function of the conversation alone: the n-th thing it does depends on the answers to the first n - 1, which it reads out
of the request as any model would. So it goes on wherever a conversation is resumed.
"""

from __future__ import annotations

import json
import re
import shlex
import zlib
from dataclasses import dataclass
from typing import Any

BROKEN = "from aar.types import Predictions\n\ndef run(task):\n    return Predictions(task.test.identities, task.test.weak)\n"
METHOD = """from aar.types import Fit, Predictions

def run(task):
    target = task.train.weak ** {power} / (task.train.weak ** {power} + (1 - task.train.weak) ** {power})
    (model,) = task.student.fit([Fit(task.train, target.astype("float32"), seed=task.seed, epochs={epochs})])
    return Predictions(task.test.ids, model.predict(task.test))
"""
THOUGHT = "I would look at the rows where the seeds disagree."
DIRECTIONS = [f"Look at what the teacher finds {hard}, and ask the student for its own view there." for hard in (
    "easy", "hard", "long", "short", "common", "rare", "strange", "obvious", "ambiguous", "old", "new", "loud")]  # fmt: skip
TOLD = re.compile(r"^call \d+, (\w+): (.*?)(?=\n\ncall \d+, |\Z)", re.DOTALL | re.MULTILINE)  # after an interruption
INTERRUPTED = "[Tool call interrupted"  # what Claude Code puts in the place of an answer that a kill cut off
LOOK = "ls /task /findings; head -c 300 /task/test.jsonl; env; ls /; cat /proc/1/environ"
LISTEN = 'for i in $(seq 12); do grep -l snapshot: /findings/*.json 2>/dev/null | wc -l | grep -qv "^[01]$" && break; sleep 0.25; done; for f in /findings/*.json; do cat $f; echo; done'


@dataclass(frozen=True)
class Past:
    """`acts`: (tool, arguments, answer) so far. `name`: who it is, as its task says."""

    name: str
    acts: list[tuple[str, dict[str, Any], str]]

    def found(self, key: str, which: int = -1) -> Any:
        """A value under `key` in an answer, the last one by default; None where there is none."""
        values = [json.loads(a)[key] for _, _, a in self.acts if a.startswith("{") and f'"{key}"' in a]
        return values[which] if values else None

    def others(self) -> list[dict[str, Any]]:
        """Findings of others that name a snapshot, as it has read them."""
        text = next((a for tool, args, a in reversed(self.acts) if args.get("command") == LISTEN), "")
        rows = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return [
            r for r in rows if r["researcher"] != self.name and any(b.startswith("snapshot:") for b in r["builds_on"])
        ]


def answer(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The content blocks of its next turn."""
    if not request.get("tools"):
        asked = re.search(r"Answer with (\d+) lines, one direction each", json.dumps(request["messages"]))
        return [{"type": "text", "text": "\n".join(DIRECTIONS[: int(asked[1])] if asked else [THOUGHT])}]
    past = read(request)
    text, tool, args = _next(past)
    named, args = _spoken(tool, args, {t["name"] for t in request["tools"]})
    return [
        {"type": "text", "text": text},
        {
            "type": "tool_use",
            "id": f"toolu_{len(past.acts):04d}_{len(request['messages']):04d}",
            "name": named,
            "input": args,
        },
    ]


def _next(past: Past) -> tuple[str, str, dict[str, Any]]:
    moves = _moves(past)
    return moves[min(len(past.acts), len(moves) - 1)]


def _spoken(tool: str, args: dict[str, Any], offered: set[str]) -> tuple[str, dict[str, Any]]:
    """As the tool is called where it works: by its own name, or as Claude Code names its own and those of a server."""
    if tool in offered:
        return tool, args
    if tool == "bash":
        return "Bash", args
    if tool == "write_file":
        return "Write", {"file_path": args["path"], "content": args["text"]}
    if tool == "note":
        return "Bash", {"command": f"echo {shlex.quote(args['text'])} >> NOTES.md"}
    return f"mcp__lab__{tool}", args


def read(request: dict[str, Any]) -> Past:
    asked: dict[str, tuple[str, dict[str, Any]]] = {}
    told: list[tuple[str, str]] = []  # calls that an interruption cut off, of which it has heard otherwise
    past = Past("", [])
    for message in request["messages"]:
        for block in _blocks(message):
            if block["type"] == "tool_use":
                asked[block["id"]] = block["name"].removeprefix("mcp__lab__"), block["input"]
            elif block["type"] == "tool_result":
                content = block.get("content") or ""
                said = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
                if not said.startswith(INTERRUPTED):
                    past.acts.append((*asked[block["tool_use_id"]], said))
            elif block["type"] == "text" and message["role"] == "user":
                if name := re.search(r"You are (\S+), in the study", block["text"]):
                    past = Past(name[1], past.acts)
                told += TOLD.findall(block["text"])
            while told and _next(past)[1] == told[0][0]:
                past.acts.append((*_next(past)[1:], told.pop(0)[1]))
    return past


def _blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


def _moves(past: Past) -> list[tuple[str, str, dict[str, Any]]]:
    draw = zlib.crc32(past.name.encode())
    mine = METHOD.format(power=1 + draw % 3, epochs=3 + draw // 3 % 4)
    others = past.others()
    other = others[0] if others else None
    snapshot = (
        next(b.removeprefix("snapshot:") for b in other["builds_on"] if b.startswith("snapshot:")) if other else None
    )
    second = METHOD.format(power=2 + draw % 3, epochs=5)
    parents, cited = ([snapshot], [other["id"]]) if other and snapshot else ([], [])
    fetch = (
        ("Their code may help.", "download_snapshot", {"id": snapshot})
        if snapshot
        else ("Nobody has shared code yet.", "budget", {})
    )
    seen = f"cat /snapshots/{snapshot}/method.py" if snapshot else "ls /snapshots"
    return [
        ("I look around first.", "bash", {"command": LOOK}),
        ("A first method.", "write_file", {"path": "/workspace/first/method.py", "text": BROKEN}),
        ("Does it run?", "try_method", {"folder": "/workspace/first"}),
        ("It does not; rows have `ids`.", "write_file", {"path": "/workspace/first/method.py", "text": mine}),
        ("Again.", "try_method", {"folder": "/workspace/first"}),
        ("What is it worth?", "evaluate", {"trial": past.found("trial") or "none"}),
        ("Worth keeping.", "note", {"text": f"first: power {1 + draw % 3}; the lab said {past.acts[-1][2][:100] if past.acts else ''}"}),
        ("A second opinion.", "think_hard", {"question": "Where does a weak teacher mislead a strong student?"}),
        ("Others may want it.", "upload_snapshot", {"folder": "/workspace/first", "note": f"sharpened labels by {past.name}"}),
        ("I tell them.", "share_finding", {"kind": "observation", "title": f"Sharpened labels run ({past.name})", "body": "Runs on all seeds.", "snapshots": [past.found("snapshot") or ""]}),
        ("What did others find?", "bash", {"command": LISTEN}),
        fetch,
        ("I read it.", "bash", {"command": seen}),
        ("Mine, with theirs in mind.", "write_file", {"path": "/workspace/second/method.py", "text": second}),
        ("Does it run?", "try_method", {"folder": "/workspace/second"}),
        ("A version that says what it builds on.", "upload_snapshot", {"folder": "/workspace/second", "note": "builds on another's", "parents": parents}),
        ("I hand it in.", "submit", {"folder": "/workspace/second"}),
        ("I wait for the lab.", "verdict", {"submission": past.found("submission") or 0, "wait_s": 120}),
        ("And say how it went.", "share_finding", {"kind": "result", "title": f"Handed in: sharper labels ({past.name})", "body": "See the run.", "runs": [past.found("submission") or 0], "findings": cited}),
        ("Done.", "finish", {"summary": "two methods, one handed in"}),
    ]  # fmt: skip
