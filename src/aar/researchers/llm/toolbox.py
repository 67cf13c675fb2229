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

from inspect_ai.util import OutputLimitExceededError

from aar.researchers.llm.box import JSON_CAP, PACKED, SH, packed
from aar.researchers.llm.sandbox import AarSandbox
from aar.researchers.llm.tools import SHOWN, Tool
from aar.researchers.llm.unanswered import Unanswered
from aar.sandboxes import Running


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
    """`box`: the sandbox, asked for at each use. Jobs live as long as this process."""

    def __init__(self, link: Link, box: Callable[[], AarSandbox]) -> None:
        self.link, self.box = link, box
        self.jobs: dict[int, Running] = {}

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
            return await (
                self._start(box, str(args["command"])) if name == "start_job" else self._job(box, int(args["number"]))
            )
        except (OSError, ValueError, OutputLimitExceededError) as error:  # TimeoutError is an OSError
            return f"error: {type(error).__name__}: {error}"

    async def _start(self, box: AarSandbox, command: str) -> str:
        """Its output and exit code are files, so that they outlive this process; the command itself does not."""
        made = await box.exec([SH, "-c", "mkdir -p jobs && n=$(($(ls jobs | wc -l) + 1)) && mkdir jobs/$n && echo $n"])
        number = int(made.stdout)
        line = 'cd /workspace; /bin/bash -c "$1" >jobs/$2/log 2>&1; echo $? >jobs/$2/exit'
        self.jobs[number] = await asyncio.to_thread(box.start, [SH, "-c", line, SH, command, str(number)])
        return f"job {number} runs; its output is in /workspace/jobs/{number}/log"

    async def _job(self, box: AarSandbox, number: int) -> str:
        said = await box.exec(
            [SH, "-c", 'cat "jobs/$1/exit" 2>/dev/null || echo -; tail -c 4000 "jobs/$1/log"', SH, str(number)]
        )
        code, _, tail = said.stdout.partition("\n")
        runs = number in self.jobs and self.jobs[number].poll() is None
        state = (
            f"ended with exit {code}"
            if code != "-"
            else "runs"
            if runs
            else "was lost with the process that ran it: start it again"
        )
        return f"job {number} {state}\n{tail}"
