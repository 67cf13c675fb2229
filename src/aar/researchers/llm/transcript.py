"""What a model was asked and answered, kept outside the sandbox as it happens: `model.jsonl`, one JSON object a line.

    {"block": digest, "is": message, system or tools}                                            each once
    {"ref", "t", "model", "system": digest, "tools": digest, "messages": [digest...], "answer"}    one request, in order

A conversation is sent whole with every request; blocks that were seen are named by their digest, so the file grows with
what is new. `eval_log` makes of it what Inspect's viewer opens.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class Transcript:
    """Threads share one. A line that was cut short by a kill is left out when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._seen = {line["block"] for line in _lines(path) if "block" in line}
        if path.exists() and not path.read_bytes().endswith(b"\n"):
            with path.open("ab") as file:
                file.write(b"\n")

    def keep(self, request: dict[str, Any]) -> tuple[str, ...]:
        """Digests of system, tools and each message."""
        parts = [_plain(p) for p in (request.get("system"), request.get("tools"), *request["messages"])]
        digests = tuple(hashlib.sha256(json.dumps(p, sort_keys=True).encode()).hexdigest()[:20] for p in parts)
        with self._lock:
            new = {d: p for d, p in zip(digests, parts, strict=True) if d not in self._seen}
            self._append(*({"block": d, "is": p} for d, p in new.items()))
            self._seen |= new.keys()
        return digests

    def write(self, digests: tuple[str, ...], answer: dict[str, Any]) -> None:
        """On disk when it returns."""
        system, tools, *messages = digests
        asked = {"t": round(time.time(), 3), "system": system, "tools": tools, "messages": messages}
        with self._lock:
            self._append({"ref": answer["ref"], "model": answer["model"], **asked, "answer": answer["message"]})

    def answers(self) -> list[dict[str, Any]]:
        """{ref, model, answer} of every request that was answered, of all sessions."""
        return [line for line in _lines(self.path) if "ref" in line]

    def _append(self, *lines: dict[str, Any]) -> None:
        with open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
            file.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())


def _plain(value: Any) -> Any:
    """One spelling of what is the same: no marks of what a provider should cache, text as blocks. Both change between requests."""
    if isinstance(value, dict):
        plain = {k: _plain(v) for k, v in value.items() if k != "cache_control"}
        if isinstance(text := plain.get("content"), str):
            plain["content"] = [{"type": "text", "text": text}]
        return plain
    return [_plain(v) for v in value] if isinstance(value, list) else value


def _lines(path: Path) -> list[dict[str, Any]]:
    """All whole ones."""
    found = []
    for raw in path.read_bytes().splitlines() if path.exists() else []:
        try:
            found.append(json.loads(raw))
        except ValueError:
            continue
    return found


def conversations(path: Path) -> list[tuple[list[Any], Any, dict[str, Any]]]:
    """(messages, system, answer) of every request that no later one goes on from: the whole of each conversation, the
    main one first (the longest), then those of subagents and those that were cut."""
    lines = _lines(path)
    blocks = {line["block"]: line["is"] for line in lines if "block" in line}
    ends: list[dict[str, Any]] = []
    for line in lines:
        if "ref" in line:
            ends = [e for e in ends if e["messages"] != line["messages"][: len(e["messages"])]] + [line]
    ends.sort(key=lambda line: -len(line["messages"]))
    return [([blocks[d] for d in line["messages"]], blocks[line["system"]], line["answer"]) for line in ends]


def eval_log(path: Path, name: str, model: str, log_dir: Path) -> Path:
    """Writes it for Inspect's viewer, one sample a conversation."""
    from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalSample, EvalSpec, write_eval_log
    from inspect_ai.model import messages_from_anthropic, model_output_from_anthropic

    async def sample(number: int, messages: list[Any], system: Any, answer: dict[str, Any]) -> EvalSample:
        text = system if isinstance(system, str) else "\n".join(b["text"] for b in system or [])
        plain: Any = [m if m["role"] != "system" else {**m, "role": "user"} for m in messages]
        read, output = await messages_from_anthropic(plain, text or None), await model_output_from_anthropic(answer)
        return EvalSample(
            id=f"{name}-{number}", epoch=1, input=name, target="", messages=[*read, output.message], output=output
        )

    async def samples() -> list[EvalSample]:
        return [await sample(n, *c) for n, c in enumerate(conversations(path))]

    made = asyncio.run(samples())
    spec = EvalSpec(
        created=datetime.now(UTC).isoformat(timespec="seconds"), task=name, model=model, config=EvalConfig(),
        dataset=EvalDataset(name=name, samples=len(made), sample_ids=[s.id for s in made]),
    )  # fmt: skip
    target = log_dir / f"{name}.eval"
    log_dir.mkdir(parents=True, exist_ok=True)
    write_eval_log(EvalLog(eval=spec, status="success", samples=made), str(target))
    return target
