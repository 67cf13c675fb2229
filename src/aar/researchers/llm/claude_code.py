"""Claude Code in a researcher's sandbox: the CLI of the wheel claude-agent-sdk inside, the SDK outside, one pipe between them.

Inside are no key and no network; the CLI's one socket is the relay's (`relay`), to which it speaks as to api.anthropic.com. The
lab's tools are an MCP server of the SDK: a call comes out through the pipe, is done here, and its answer goes back in. Whoever
is inside can write to that pipe as well, so nothing that comes out of it is believed: it can ask for tools, no more.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import claude_agent_sdk
from claude_agent_sdk import (
    ClaudeAgentOptions,
    ClaudeSDKClient,
    ResultMessage,
    SdkMcpTool,
    Transport,
    create_sdk_mcp_server,
)

from aar.errors import AarError, ProviderDown
from aar.researchers.bench import Bench
from aar.researchers.llm.asked import Asked
from aar.researchers.llm.relay import Relay
from aar.sandboxes import Mount, Running

CLI = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
INSIDE, SOCKETS = "/opt/claude", "/lab"
STATE = ".claude"  # below the workspace: its own memory of the conversation, from which it goes on
TOOLS = "Bash,Edit,Read,Write,Task"
LINE_CAP = 16 << 20
LAB = "mcp__lab__"  # what it puts before the names of the lab's tools
IDLE = 3  # turns that end without `finish`, in a row
POLL_S = 0.5


def mounts(relay: Relay) -> list[Mount]:
    return [Mount(CLI, INSIDE), Mount(relay.folder, SOCKETS)]


def environment(model: str, max_tokens: int) -> dict[str, str]:
    """No key: the relay has it. All that would look for another host is off."""
    return {
        "ANTHROPIC_BASE_URL": "http://model", "ANTHROPIC_UNIX_SOCKET": f"{SOCKETS}/model.sock", "ANTHROPIC_API_KEY": "kept-outside",
        "ANTHROPIC_SMALL_FAST_MODEL": model, "ANTHROPIC_DEFAULT_HAIKU_MODEL": model, "CLAUDE_CODE_SUBAGENT_MODEL": model,
        "CLAUDE_CONFIG_DIR": f"/workspace/{STATE}", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_TELEMETRY": "1",
        "DISABLE_AUTOUPDATER": "1", "ENABLE_TOOL_SEARCH": "false", "CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(max_tokens),
        "API_TIMEOUT_MS": str(86_400_000), "MCP_TOOL_TIMEOUT": str(86_400_000), "HOME": "/workspace",
    }  # fmt: skip


def conversation(bench: Bench) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{bench.study}/{bench.name}"))


def memory(bench: Bench) -> str:
    """Where in the workspace the CLI writes its conversation down: below a folder named after the one it works in."""
    return f"{STATE}/projects/-workspace/{conversation(bench)}.jsonl"


def command(bench: Bench, model: str, system: str) -> list[str]:
    """A conversation that was begun goes on from what the CLI wrote down of it."""
    id_, begun = conversation(bench), (bench.home / "desk" / memory(bench)).exists()
    servers = json.dumps({"mcpServers": {"lab": {"type": "sdk", "name": "lab"}}})
    return [
        INSIDE, "--print", "--verbose", "--input-format", "stream-json", "--output-format", "stream-json", "--model", model,
        f"--resume={id_}" if begun else f"--session-id={id_}", "--permission-mode", "bypassPermissions", "--tools", TOOLS,
        "--setting-sources=", "--strict-mcp-config", "--mcp-config", servers, "--append-system-prompt", system,
    ]  # fmt: skip


class Pipe(Transport):
    """To the program in the sandbox."""

    def __init__(self, running: Running) -> None:
        self.running = running

    async def connect(self) -> None:
        """It runs already."""

    async def write(self, data: str) -> None:
        def send() -> None:
            self.running.stdin.write(data.encode())
            self.running.stdin.flush()

        await asyncio.to_thread(send)

    async def read_messages(self) -> AsyncIterator[dict[str, Any]]:
        while line := await asyncio.to_thread(self.running.stdout.readline, LINE_CAP):
            if line.startswith(b"{"):
                yield json.loads(line)

    async def close(self) -> None:
        """Its end is its starter's affair."""

    async def end_input(self) -> None:
        await asyncio.to_thread(self.running.stdin.close)

    def is_ready(self) -> bool:
        return self.running.poll() is None


class Session:
    """One life of the CLI."""

    def __init__(self, bench: Bench, asked: Asked, relay: Relay, running: Running) -> None:
        self.bench, self.asked, self.relay, self.running = bench, asked, relay, running
        self.finished = asyncio.Event()
        self.fault: Exception | None = None

    async def run(self, first: str, go_on: str) -> None:
        """Until it calls `finish` or stops asking for tools; `go_on` is what it is told then. Raises what ended it."""
        talking = asyncio.create_task(self._talk(first, go_on))
        try:
            while not (talking.done() or self.finished.is_set() or self.fault or self.relay.ended.is_set()):
                self.bench.check_time()
                gone = self.running.poll() is not None
                await asyncio.wait([talking], timeout=POLL_S)
                if gone and not talking.done():  # the SDK would wait for its answer
                    raise self._lost("it ended")
            if fault := self.fault or self.relay.fault:
                raise fault
            if not self.finished.is_set():
                await talking
        finally:
            talking.cancel()
            await asyncio.to_thread(self.running.kill)  # ends the reading as well
            await asyncio.gather(talking, return_exceptions=True)

    async def _talk(self, first: str, go_on: str) -> None:
        server = create_sdk_mcp_server("lab", tools=[self._tool(t.name, t.what, t.schema) for t in self.asked.offered])
        options = ClaudeAgentOptions(mcp_servers={"lab": server})
        try:
            async with ClaudeSDKClient(options, transport=Pipe(self.running)) as client:
                await client.query(first)
                for _ in range(IDLE):
                    result = [m async for m in client.receive_response() if isinstance(m, ResultMessage)]
                    if not result or result[-1].is_error:
                        raise self._lost(str(result[-1].result) if result else "it ended")
                    await client.query(go_on)
        except AarError:
            raise
        except Exception as error:  # the SDK raises all kinds
            raise self._lost(str(error)) from error

    def _lost(self, why: str) -> ProviderDown:
        return ProviderDown(
            f"Claude Code stopped: {why[:300]}", code="agent_lost", hint=f"see {self.bench.home}/agent.log"
        )

    def _tool(self, name: str, what: str, schema: dict[str, Any]) -> SdkMcpTool[Any]:
        async def use(args: dict[str, Any]) -> dict[str, Any]:
            if name == "finish":
                self.finished.set()
            try:
                text = await asyncio.to_thread(self.asked.use, name, args) if name != "finish" else "bye"
            except Exception as fault:  # whatever it is, it ends the session: nobody in there may hide it
                self.fault = fault
                raise
            return {"content": [{"type": "text", "text": text}]}

        handler: Callable[[Any], Awaitable[dict[str, Any]]] = use
        return SdkMcpTool(name=name, description=what, input_schema=schema, handler=handler)
