"""The hands of a researcher's process: the link to its desk, and the tools that run in its sandbox or at the bench.

Knows no model: who calls the tools, and why, is `agent`'s affair.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from inspect_ai.util import OutputLimitExceededError, SandboxEnvironment

from aar.researchers.llm.box import JSON_CAP, PACKED, SH, packed
from aar.researchers.llm.tools import SHOWN, Tool
from aar.researchers.llm.unanswered import Unanswered
from aar.sandboxes import PYTHON


class Stop(Exception):
    """The desk said so."""


class Link:
    """The desk, seen from the process. When the desk is gone, so is the process."""

    def __init__(self, fd: int) -> None:
        self._file = socket.socket(fileno=fd).makefile("rwb", buffering=0)
        self._heard: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in iter(self._file.readline, b""):
            self._heard.put(json.loads(line))
        os._exit(1)

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self.say(request)
        heard = await asyncio.to_thread(self._heard.get)
        if "stop" in heard:
            raise Stop(heard["stop"])
        return heard

    def say(self, words: dict[str, Any]) -> None:
        self._file.write(json.dumps(words).encode() + b"\n")

    async def step(self, name: str, args: Any, act: Callable[[], Awaitable[Any]], **more: Any) -> Any:
        """Done at most once for each recorded answer."""
        heard = await self.ask({"step": name, "args": args, **more})
        while "do" in heard:
            try:
                reply = {"did": await act()}
            except Unanswered as no:
                reply = {"failed": str(no), "billed": no.billed, "final": no.final}
            heard = await self.ask(reply)
        return heard["answer"]


class Toolbox:
    """`box`: the sandbox, asked for at each use."""

    def __init__(self, link: Link, box: Callable[[], SandboxEnvironment]) -> None:
        self.link, self.box = link, box

    async def use(self, tool: Tool, args: dict[str, Any]) -> str:
        """What a tool of the sandbox or the bench answers, as text. ValueError for arguments that it does not take."""
        if tool.place == "bench":
            return await self._bench(tool, args)
        done: str = await self.link.step(tool.name, args, lambda: self._in_sandbox(tool.name, args))
        return done

    async def _bench(self, tool: Tool, args: dict[str, Any]) -> str:
        if "folder" in args:
            packed = await self.link.step("pack", args["folder"], lambda: self._packed(str(args["folder"])))
            if "error" in packed:
                raise ValueError(packed["error"])
            args["tar"] = packed["tar"]
        if tool.name == "evaluate_file":
            args = {
                "predictions": json.loads(
                    await self.link.step("predictions", args, lambda: self._in_sandbox("predictions", args))
                )
            }
        heard = await self.link.ask({"tool": tool.name, "args": args})
        return f"error: {heard['error']}" if "error" in heard else json.dumps(heard["answer"])

    async def _packed(self, folder: str) -> dict[str, str]:
        done = await self.box().exec([SH, "-c", PACKED, SH, folder], timeout=60)
        return packed(folder, done.success, done.stdout, done.stderr)

    async def _in_sandbox(self, name: str, args: dict[str, Any]) -> str:
        box = self.box()
        try:
            if name == "bash":
                done = await box.exec(
                    ["/bin/bash", "-c", str(args["command"])], timeout=max(1, min(int(args.get("timeout_s", 120)), 600))
                )
                return f"{done.stdout[:SHOWN]}{done.stderr[-SHOWN // 4 :]}(exit {done.returncode})"
            if name == "write_file":
                await box.write_file(str(args["path"]), str(args["text"]))
                return "written"
            if name in ("read_file", "predictions"):
                text = await box.read_file(str(args["path"]))
                return text[: SHOWN if name == "read_file" else JSON_CAP]
            if name == "start_job":
                number = await self._jobs(box, "start", str(args["command"]))
                return f"job {number.strip()} runs; its output is in /workspace/jobs/{number.strip()}/log"
            number = str(int(args["number"]))
            if name == "kill_job":
                return await self._jobs(box, "kill", number)
            return await self._jobs(box, "status", number) + await self._jobs(box, "logs", number)
        except (OSError, ValueError, OutputLimitExceededError) as error:  # TimeoutError is an OSError
            return f"error: {type(error).__name__}: {error}"

    async def _jobs(self, box: SandboxEnvironment, *words: str) -> str:
        """They run in a sandbox of their own, which outlives this process: see `aar.task.jobs`."""
        done = await box.exec([PYTHON, "-I", "-m", "aar.task.jobs", *words], timeout=60)
        if not done.success:
            raise ValueError(done.stderr.strip().removeprefix("error: ")[:500])
        return done.stdout
