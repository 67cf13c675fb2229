"""The process of one LLM researcher: an Inspect eval of one sample. `python -m aar.researchers.llm.agent <desk.json> <fd>`.

Runs on the host, holds the model's key, and gives it to nobody: commands run in the sandbox, whose environment is empty;
all that counts is asked from the desk over `fd`. The loop prescribes nothing: the model is given its task and its tools,
and what it calls is done until it calls `finish` or the desk says stop. It acts by recorded answers alone, so that a
process started anew comes to where the last one was. Inspect's log of each process lies in `logs/`.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from string import Template
from typing import Any

import tiktoken
import tiktoken.registry
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

from aar.researchers.llm.prices import Tokens, tokens_of
from aar.researchers.llm.toolbox import Link, Stop, Toolbox
from aar.researchers.llm.tools import SHOWN, TOOLS, Tool
from aar.researchers.llm.unanswered import Unanswered, unanswered

IDLE = 3  # answers without a tool call in a row, then it is over
OVERHEAD = 2048  # tokens that providers add of their own: the form of tools and of messages
PDEATHSIG, LEAVES_S = 1, 15
KEPT = 8  # messages that survive a cut
NO_RETRY: dict[str, dict[str, Any]] = {
    "anthropic": {"max_retries": 0},
    "openai": {"max_retries": 0},
}  # each try has its own reservation


class Agent:
    """One conversation. `plan`: what `desk.json` holds."""

    def __init__(self, plan: dict[str, Any], link: Link) -> None:
        self.plan, self.link = plan, link
        self.config = GenerateConfig(max_tokens=plan["max_tokens"], max_retries=0)
        self.notes: list[str] = []
        self.news = ""
        self.toolbox = Toolbox(link, sandbox)
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
            if self.news:
                self.messages.append(ChatMessageUser(content=self.news))
                self.news = ""
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
        self.billed, self.known = (Tokens(**told["tokens"]).input, len(self.messages)) if told["tokens"] else (0, 0)
        if told["stop"] == "model_length":
            self.billed = self.plan["context"] + 1
        return message

    async def _think(self, name: str, messages: list[ChatMessage], tools: list[ToolInfo], size: int) -> Any:
        async def act() -> dict[str, Any]:
            try:
                output = await self.model(name).generate(messages, tools=tools, config=self.config)
            except Exception as error:  # whatever a provider raises: whether it was billed and can be tried again
                raise unanswered(error) from error
            if output.error and output.usage is None and output.stop_reason != "model_length":
                raise Unanswered(output.error, billed=True, final=False)
            return _told(output)

        args = {"at": len(messages), "last": messages[-1].text}
        told = await self.link.step("model", args, act, model=name, most=size + OVERHEAD)
        self.news = told.get("news") or self.news
        return told

    def _cut(self, state: TaskState) -> None:
        """Begin anew with the task, the notebook and the last messages, from an answer on."""
        tail = self.messages[-KEPT:]
        while tail and not isinstance(tail[0], ChatMessageAssistant):
            tail = tail[1:]
        book = Template(self.plan["compacted"]).safe_substitute(notebook="\n\n".join(self.notes) or "(empty)")
        state.messages = [*self.messages[:2], ChatMessageUser(content=book), *tail]
        self.messages = state.messages
        self.billed = self.known = 0

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
        if tool.name == "note":
            self.notes.append(str(args["text"]))
            return "noted"
        if tool.name == "think_hard":
            asked: list[ChatMessage] = [
                ChatMessageUser(content=Template(self.plan["question"]).safe_substitute(question=args["question"]))
            ]
            return str((await self._think(self.plan["think"], asked, [], _size(asked[0])))["text"])
        return await self.toolbox.use(tool, args)


def _info(tool: Tool) -> ToolInfo:
    properties = {
        name: ToolParam(type=p.type, description=p.what, items=ToolParam(type=p.items) if p.type == "array" else None)
        for name, p in tool.params.items()
    }
    required = [name for name, p in tool.params.items() if not p.optional]
    return ToolInfo(
        name=tool.name, description=tool.what, parameters=ToolParams(properties=properties, required=required)
    )


INFOS = [_info(tool) for tool in TOOLS.values()]


def _size(message: ChatMessage) -> int:
    """Bytes, which are at least as many as tokens."""
    return len(message.model_dump_json(exclude={"id", "metadata", "model", "source"}).encode())


def _told(output: ModelOutput) -> dict[str, Any]:
    used = tokens_of(output.usage)
    message = output.message.model_dump(mode="json", exclude_none=True)
    return {
        "message": message,
        "text": output.message.text,
        "tokens": used and asdict(used),
        "stop": output.stop_reason,
    }


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


def count_offline() -> None:
    """Inspect counts tokens with an encoding that tiktoken would download. One token a byte will do: nothing that is billed
    or capped is counted by it."""
    single = {bytes([i]): i for i in range(256)}
    tiktoken.registry.ENCODINGS["o200k_base"] = tiktoken.Encoding(
        "o200k_base", pat_str="(?s).", mergeable_ranks=single, special_tokens={}
    )


def leave_with_parent() -> None:
    """When the study's process dies, the link ends and so does the work; should that hang, the alarm ends it."""
    signal.signal(signal.SIGTERM, lambda *_: signal.alarm(LEAVES_S))
    ctypes.CDLL(None).prctl(PDEATHSIG, signal.SIGTERM)
    if os.getppid() == 1:
        signal.alarm(LEAVES_S)


def main(path: str, fd: int) -> int:
    leave_with_parent()
    count_offline()
    plan, link = json.loads(Path(path).read_text()), Link(fd)
    task = Task(
        dataset=[Sample(input=plan["task"], id=plan["name"])],
        solver=working(Agent(plan, link)),
        sandbox=tuple(plan.get("inspects") or ("aar", path)),
        name=plan["name"],
    )
    logs = Path(path).parent / "logs"
    (log,) = eval(
        task, model="none/none", log_dir=str(logs), display="none", score=False, fail_on_error=True, log_level="warning"
    )
    if log.status != "success":
        print(log.error, file=sys.stderr)
    return 0 if log.status == "success" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
