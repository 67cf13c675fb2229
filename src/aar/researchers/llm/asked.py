"""Tools for whoever cannot act the same again (an agent of its own, a person): what was asked is written down before it is done.

`asked.jsonl` holds each call with its arguments. A new session does them all again, in order: answers that were recorded come
from the journal, the one call that was under way is done under the key it had, so it happens once, and its answer is there.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from typing import Any

from aar.errors import AarError
from aar.researchers.base import Stopped, clean
from aar.researchers.bench import Bench
from aar.researchers.journal import is_fact
from aar.researchers.llm.bench_tools import BenchTools
from aar.researchers.llm.box import Box
from aar.researchers.llm.given import Directed
from aar.researchers.llm.recalled import Call
from aar.researchers.llm.tools import SHOWN, TOOLS, Tool


class Asked:
    """One call at a time; threads wait. `think(question)`: the strong model's answer, None where there is none."""

    def __init__(self, bench: Bench, tools: BenchTools, box: Box, think: Callable[[str], str] | None = None) -> None:
        self.bench, self.tools, self.box, self.think = bench, tools, box, think
        self.path, self.directed = bench.home / "asked.jsonl", Directed(bench)
        self._lock = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """Waits for the call that is under way; there are no more."""
        with self._lock:
            self._closed = True

    @property
    def offered(self) -> list[Tool]:
        return [
            t
            for t in TOOLS.values()
            if t.place == "bench" or (t.name == "think_hard" and self.think) or t.name == "finish"
        ]

    def replay(self) -> list[Call]:
        """Everything that was asked so far, with its answers."""
        raw = self.path.read_bytes() if self.path.exists() else b""
        whole = raw[: raw.rfind(b"\n") + 1]
        if len(whole) < len(raw):  # cut short by a kill: it was not begun
            os.truncate(self.path, len(whole))
        asked = [json.loads(line) for line in whole.splitlines()]
        return [Call(n, c["tool"], c["args"], self._answer(c["tool"], c["args"])) for n, c in enumerate(asked, 1)]

    def use(self, name: str, args: dict[str, Any]) -> str:
        """The answer as text, mistakes of the caller's too. Raises `Stopped` and what is the lab's fault."""
        with self._lock:
            if self._closed:
                raise Stopped("the session is over")
            with self.path.open("ab") as file:
                file.write(json.dumps({"tool": name, "args": args}).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            self.bench.log(f"{clean(name, 40)}: {clean(json.dumps(args), 200)}")
            answer = self._answer(name, args)
            news = self.directed.news()
            self.directed.hear(news)
            return f"{answer}\n\n{news}" if news else answer

    def _answer(self, name: str, args: dict[str, Any]) -> str:
        try:
            return self._do(name, dict(args))[:SHOWN]
        except AarError as error:
            if not is_fact(error):
                raise
            return f"error: {error}"

    def _do(self, name: str, args: dict[str, Any]) -> str:
        if name == "think_hard" and self.think:
            think, question = self.think, str(args.get("question", ""))
            return str(self.bench.step("think_hard", question, lambda key: think(question)).answer)
        if "folder" in args:
            args |= self._fetched("pack", str(args["folder"]), self.box.pack)
        if name == "evaluate_file" and "path" in args:
            path = str(args.pop("path"))
            args |= self._fetched("predictions", path, self.box.read)
            if "text" in args:
                args["predictions"] = _json(args.pop("text"))
        if "error" in args:
            return f"error: {args['error']}"
        return json.dumps(self.tools.use(name, args))

    def _fetched(self, step: str, where: str, fetch: Callable[[str], dict[str, str]]) -> dict[str, Any]:
        got: dict[str, Any] = self.bench.step(step, where, lambda key: fetch(where)).answer
        return got


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
