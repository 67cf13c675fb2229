"""The process of one LLM researcher: an Inspect eval of one sample. `python -m aar.researchers.llm.agent <desk.json> <fd>`.

Runs on the host, holds the model's key, and gives it to nobody: commands run in the sandbox, whose environment is empty;
all that counts is asked from the desk over `fd`. The loop prescribes nothing: the model is given its task and its tools,
and what it calls is done until it calls `finish` or the desk says stop. It acts by recorded answers alone, so that a
process started anew comes to where the last one was. Inspect's log of each process lies in `logs/`.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from string import Template
from typing import Any

from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.log import transcript
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
    GenerateConfig,
    Model,
    ModelOutput,
    get_model,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import ToolCall, ToolInfo, ToolParam, ToolParams
from inspect_ai.util import sandbox

from aar.researchers.llm.prices import Tokens
from aar.researchers.llm.sandbox import SH, AarSandbox
from aar.researchers.llm.tools import TOOLS, Tool
from aar.sandboxes import Running

IDLE = 3  # answers without a tool call in a row, then it is over
OVERHEAD = 2048  # tokens that providers add of their own: the form of tools and of messages
SHOWN = 16_000  # characters of a tool's answer
KEPT = 8  # messages that survive a cut
NO_RETRY = {"anthropic": {"max_retries": 0}, "openai": {"max_retries": 0}}  # each try has its own reservation
PACK = 'cd "$1" && exec tar -czf - --exclude=__pycache__ --exclude="*/.[!.]*" .'


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


class Unanswered(Exception):
    def __init__(self, why: str, billed: bool, final: bool) -> None:
        super().__init__(why)
        self.billed, self.final = billed, final


class Agent:
    """One conversation. `plan`: what `desk.json` holds."""

    def __init__(self, plan: dict[str, Any], link: Link) -> None:
        self.plan, self.link = plan, link
        self.config = GenerateConfig(max_tokens=plan["max_tokens"], max_retries=0)
        self.notes: list[str] = []
        self.jobs: dict[int, Running] = {}
        self.messages: list[ChatMessage] = []
        self.billed, self.known = 0, 0  # input tokens as billed for the first `known` messages

    def model(self, name: str) -> Model:
        return get_model(name, config=self.config, **NO_RETRY.get(name.partition("/")[0], {}))

    async def work(self, state: TaskState) -> None:
        state.messages = [ChatMessageSystem(content=self.plan["system"]), ChatMessageUser(content=self.plan["task"])]
        self.messages = state.messages  # Inspect's own list: what is appended is in its log
        idle = 0
        while idle < IDLE:
            if self.billed > self.plan["context"]:
                self._cut(state)
            message = await self._answer()
            self.messages.append(message)
            for call in message.tool_calls or ():
                if call.function == "finish":
                    return
                self.messages.append(await self._act(call))
            idle = 0 if message.tool_calls else idle + 1
            if idle:
                self.messages.append(ChatMessageUser(content=self.plan["continue"]))

    # -- the model

    async def _answer(self) -> ChatMessageAssistant:
        size = sum(_size(m) for m in self.messages) + sum(len(t.model_dump_json()) for t in INFOS)
        if self.known:  # what was billed before is known; the rest has at most a token a byte
            size = min(size, self.billed + sum(_size(m) for m in self.messages[self.known :]))
        told = await self._think(self.plan["model"], self.messages, INFOS, size)
        message = ChatMessageAssistant.model_validate(told["message"])
        self.billed, self.known = Tokens(**told["tokens"]).input, len(self.messages)
        if told["stop"] == "model_length":
            self.billed = self.plan["context"] + 1
        return message

    async def _think(self, name: str, messages: list[ChatMessage], tools: list[ToolInfo], size: int) -> Any:
        async def act() -> dict[str, Any]:
            try:
                output = await self.model(name).generate(messages, tools=tools, config=self.config)
            except Exception as error:  # whatever a provider raises: whether it was billed and can be tried again
                raise _unanswered(error) from error
            if output.error and output.usage is None and output.stop_reason != "model_length":
                raise Unanswered(output.error, billed=True, final=False)
            return _told(output)

        args = {"at": len(messages), "last": messages[-1].text}
        return await self.link.step("model", args, act, model=name, most=size + OVERHEAD)

    def _cut(self, state: TaskState) -> None:
        """Begin anew with the task, the notebook and the last messages, from an answer on."""
        tail = self.messages[-KEPT:]
        while tail and not isinstance(tail[0], ChatMessageAssistant):
            tail = tail[1:]
        book = Template(self.plan["compacted"]).safe_substitute(notebook="\n\n".join(self.notes) or "(empty)")
        state.messages = [*self.messages[:2], ChatMessageUser(content=book), *tail]
        self.messages = state.messages
        self.billed = self.known = 0

    # -- the tools

    async def _act(self, call: ToolCall) -> ChatMessageTool:
        try:
            if call.parse_error or call.function not in TOOLS:
                raise ValueError(call.parse_error or f"no tool {call.function!r}; known: {', '.join(TOOLS)}")
            text = await self._use(TOOLS[call.function], dict(call.arguments))
        except (ValueError, TypeError, KeyError) as error:
            text = f"error: {error}"
        return ChatMessageTool(content=text[:SHOWN], tool_call_id=call.id, function=call.function)

    async def _use(self, tool: Tool, args: dict[str, Any]) -> str:
        missing = [name for name, p in tool.params.items() if not p.optional and name not in args]
        if missing or set(args) - set(tool.params):
            raise ValueError(f"{tool.name} takes {', '.join(tool.params) or 'nothing'}")
        if tool.place == "bench":
            return await self._bench(tool, args)
        if tool.name == "note":
            self.notes.append(str(args["text"]))
            return "noted"
        if tool.name == "think_hard":
            asked: list[ChatMessage] = [ChatMessageUser(content=str(args["question"]))]
            return str((await self._think(self.plan["think"], asked, [], _size(asked[0])))["text"])
        done: str = await self.link.step(tool.name, args, lambda: self._in_sandbox(tool.name, args))
        return done

    async def _bench(self, tool: Tool, args: dict[str, Any]) -> str:
        if "folder" in args:
            packed = await self.link.step("pack", args["folder"], lambda: self._packed(str(args["folder"])))
            if "error" in packed:
                raise ValueError(packed["error"])
            args["tar"] = packed["tar"]
        if tool.name == "evaluate_file":
            text = await self.link.step("read_file", args, lambda: self._in_sandbox("read_file", args))
            args = {"predictions": json.loads(text)}
        heard = await self.link.ask({"tool": tool.name, "args": args})
        return f"error: {heard['error']}" if "error" in heard else json.dumps(heard["answer"])

    async def _packed(self, folder: str) -> dict[str, str]:
        done = await self._box().exec([SH, "-c", f"{{ {PACK}; }} | base64 -w0", SH, folder], timeout=60)
        return {"tar": done.stdout} if done.success and done.stdout and not done.stderr else {"error": f"cannot pack {folder}: {done.stderr[:500]}"}

    async def _in_sandbox(self, name: str, args: dict[str, Any]) -> str:
        box = self._box()
        try:
            if name == "bash":
                done = await box.exec(["/bin/bash", "-c", str(args["command"])], timeout=max(1, min(int(args.get("timeout_s", 120)), 600)))
                return f"{done.stdout[:SHOWN]}{done.stderr[-SHOWN // 4 :]}(exit {done.returncode})"
            if name == "write_file":
                await box.write_file(str(args["path"]), str(args["text"]))
                return "written"
            if name == "read_file":
                return await box.read_file(str(args["path"]))
            return await (self._start(box, str(args["command"])) if name == "start_job" else self._job(box, int(args["number"])))
        except (OSError, UnicodeDecodeError, ValueError) as error:  # TimeoutError is one
            return f"error: {type(error).__name__}: {error}"

    async def _start(self, box: AarSandbox, command: str) -> str:
        """Its output and exit code are files, so that they outlive this process; the command itself does not."""
        made = await box.exec([SH, "-c", "mkdir -p jobs && n=$(($(ls jobs | wc -l) + 1)) && mkdir jobs/$n && echo $n"])
        number = int(made.stdout)
        line = 'cd /workspace; /bin/bash -c "$1" >jobs/$2/log 2>&1; echo $? >jobs/$2/exit'
        self.jobs[number] = await asyncio.to_thread(box.start, [SH, "-c", line, SH, command, str(number)])
        return f"job {number} runs; its output is in /workspace/jobs/{number}/log"

    async def _job(self, box: AarSandbox, number: int) -> str:
        said = await box.exec([SH, "-c", 'cat "jobs/$1/exit" 2>/dev/null || echo -; tail -c 4000 "jobs/$1/log"', SH, str(number)])
        code, _, tail = said.stdout.partition("\n")
        runs = number in self.jobs and self.jobs[number].poll() is None
        state = f"ended with exit {code}" if code != "-" else "runs" if runs else "was lost with the process that ran it: start it again"
        return f"job {number} {state}\n{tail}"

    def _box(self) -> AarSandbox:
        return sandbox().as_type(AarSandbox)


def _info(tool: Tool) -> ToolInfo:
    properties = {
        name: ToolParam(type=p.type, description=p.what, **({"items": ToolParam(type=p.items)} if p.type == "array" else {}))
        for name, p in tool.params.items()
    }
    required = [name for name, p in tool.params.items() if not p.optional]
    return ToolInfo(name=tool.name, description=tool.what, parameters=ToolParams(properties=properties, required=required))


INFOS = [_info(tool) for tool in TOOLS.values()]


def _size(message: ChatMessage) -> int:
    """Bytes, which are at least as many as tokens."""
    return len(message.model_dump_json(exclude={"id", "metadata", "model", "source"}).encode())


def _told(output: ModelOutput) -> dict[str, Any]:
    used = output.usage
    tokens = Tokens(used.input_tokens, used.input_tokens_cache_read or 0, used.input_tokens_cache_write or 0, used.output_tokens) if used else Tokens()
    message = output.message.model_dump(mode="json", exclude_none=True)
    return {"message": message, "text": output.message.text, "tokens": asdict(tokens), "stop": output.stop_reason}


def _unanswered(error: Exception) -> Unanswered:
    """A status says that nothing was billed; a connection that broke says nothing."""
    while error.__cause__ and not hasattr(error, "status_code"):
        error = error.__cause__  # type: ignore[assignment]
    status = getattr(error, "status_code", None)
    why = f"{type(error).__name__}: {error}"[:500]
    if status is None:
        return Unanswered(why, billed=True, final=False)
    return Unanswered(why, billed=False, final=status in (400, 401, 402, 403, 404))


@solver
def working(agent: Agent) -> Solver:
    async def solve(state: TaskState, generate: Generate) -> TaskState:
        try:
            await agent.work(state)
            agent.link.say({"done": "finished"})
        except Stop as stop:
            transcript().info({"stopped": str(stop)})
        return state

    return solve


def main(path: str, fd: int) -> int:
    plan, link = json.loads(Path(path).read_text()), Link(fd)
    task = Task(dataset=[Sample(input=plan["task"], id=plan["name"])], solver=working(Agent(plan, link)), sandbox=("aar", path), name=plan["name"])
    logs = Path(path).parent / "logs"
    (log,) = eval(task, model="none/none", log_dir=str(logs), display="none", score=False, fail_on_error=True, log_level="warning")
    if log.status != "success":
        print(log.error, file=sys.stderr)
    return 0 if log.status == "success" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
