"""What `aar connect` prints is a working configuration: the real client starts it and reaches the lab through it."""

from __future__ import annotations

import asyncio
import json
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from aar.cli.connect import AGENTS
from aar.cli.main import main
from aar.lab.fakes import FakeScorer
from aar.lab.server import serving
from aar.lab.services import open_lab
from aar.lab.tables import Researcher
from aar.lab.tokens import UNSANDBOXED
from aar.settings import LabFolder


def parsed(agent: str, text: str) -> dict[str, Any]:
    """{command, args, env} as that agent would read it."""
    if agent == "claude-code":
        head, _, command = text.partition(" -- ")
        words, line = shlex.split(head), shlex.split(command)
        assert words[:4] == ["claude", "mcp", "add", "aar-lab"]
        env = dict(w.split("=", 1) for w in words[4:] if w != "-e")
        return {"command": line[0], "args": line[1:], "env": env}
    if agent == "codex":
        return dict(tomllib.loads(text)["mcp_servers"]["aar-lab"])
    read = json.loads(text)
    return dict(read["servers" if agent == "vscode" else "mcpServers"]["aar-lab"])


@pytest.mark.parametrize("elsewhere", [False, True])
def test_every_agents_configuration_says_the_same(
    tmp_path: Path, short: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], elsewhere: bool
) -> None:
    """Each form reads back as one bridge with a token of its own; the last one is started and asked for its board."""
    monkeypatch.setenv("AAR_STATE", str(tmp_path / "outside"))
    monkeypatch.setenv("AAR_RUNTIME", str(short / "a b"))
    lab = open_lab(LabFolder(tmp_path / "lab"), FakeScorer())
    with serving(lab) as server:
        tokens = set()
        for agent in AGENTS:
            assert (
                main(
                    [
                        "connect",
                        agent,
                        "eve",
                        "--lab",
                        str(lab.folder.root),
                        "--json",
                        *(["--elsewhere"] if elsewhere else []),
                    ]
                )
                == 0
            )
            shown = json.loads(capsys.readouterr().out)
            line = parsed(agent, shown["text"])
            assert line["args"][-2:] == ["connect", "bridge"]
            assert line["env"]["AAR_SERVER"] == str(server.socket_of("eve"))
            tokens.add(line["env"]["AAR_TOKEN"])
        assert len(tokens) == len(AGENTS)
        server.add_researcher("eve")
        board = asyncio.run(asyncio.wait_for(asked(line), 60))
    assert board["problem"] == "toy@fake/fake"
    with lab.store.reading() as session:
        assert (session.get(Researcher, "eve").kind == UNSANDBOXED) is not elsewhere
    lab.close()


async def asked(line: dict[str, Any]) -> Any:
    given = StdioServerParameters(command=line["command"], args=line["args"], env=line["env"])
    async with Client(stdio_client(given)) as client:
        answer = await client.call_tool("get_leaderboard", {"problem": "toy"})
        assert not answer.is_error, answer.content
        return answer.structured_content
