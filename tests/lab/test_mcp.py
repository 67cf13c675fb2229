"""The tools as an agent meets them: the real MCP client over loopback, a researcher's own socket, and the stdio bridge."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from aar.lab import queue, tokens
from aar.lab.fakes import METHOD, FakeScorer
from aar.lab.server import LabServer, serving
from aar.lab.services import Lab
from aar.task.client import LabClient

VECTOR = {i: 0.9 if FakeScorer.truth(i) else 0.1 for i in (f"r{n}" for n in range(10))}
SOURCE = {name: body.decode() for name, body in METHOD.items()}
NAMES = {
    "evaluate_predictions", "submit_method", "get_submission", "share_finding", "list_findings", "get_leaderboard",
    "upload_snapshot", "download_snapshot", "get_budget",
}  # fmt: skip


@pytest.fixture
def served(lab: Lab) -> Iterator[LabServer]:
    with serving(lab, port=0) as server:
        yield server


@contextlib.asynccontextmanager
async def agent(where: str | Path, token: str | None) -> AsyncIterator[Client]:
    """A connected client: on a URL, or on a unix socket."""
    transport = httpx2.AsyncHTTPTransport(uds=str(where)) if isinstance(where, Path) else None
    url = "http://lab" if transport else where
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(transport=transport, headers=headers) as http,
        Client(streamable_http_client(f"{url}/mcp/", http_client=http)) as client,
    ):
        yield client


def with_agent(where: str | Path, token: str | None, act: Callable[[Client], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with agent(where, token) as client:
            return await act(client)

    return asyncio.run(asyncio.wait_for(run(), 60))


async def told(client: Client, tool: str, **args: Any) -> Any:
    """The structured answer of a tool that must not fail."""
    answer = await client.call_tool(tool, args)
    assert not answer.is_error, answer.content
    return answer.structured_content


async def refused(client: Client, tool: str, **args: Any) -> str:
    answer = await client.call_tool(tool, args)
    assert answer.is_error, answer
    return str(answer.content[0].text)  # type: ignore[union-attr]


def audited(lab: Lab, action: str) -> list[dict[str, Any]]:
    return [e for e in map(json.loads, lab.audit.path.read_bytes().splitlines()) if e["action"] == action]


@pytest.mark.parametrize("over", ["loopback", "socket", "stdio"])
def test_a_day_of_an_agent(lab: Lab, served: LabServer, over: str) -> None:
    """Every tool, on every way in: evaluate, share, snapshot, submit, look; all in the audit log as this researcher."""
    token = tokens.create(lab.store, "ann")
    lab.changed()
    where: Any = {"loopback": f"http://127.0.0.1:{served.port}", "socket": served.add_researcher("ann"), "stdio": None}[
        over
    ]

    async def act(client: Client) -> None:
        assert {t.name for t in (await client.list_tools()).tools} == NAMES
        answer = await told(client, "evaluate_predictions", problem="toy", predictions=VECTOR)
        assert (answer["status"], answer["pgr"], answer["budget_left"]) == ("improved", 1.25, 99)
        stored = await told(client, "upload_snapshot", files=SOURCE, note="first")
        assert (await told(client, "download_snapshot", id=stored["id"])) == SOURCE
        sent = await told(client, "submit_method", problem="toy", name="mine", snapshot=stored["id"])
        finding = {"kind": "result", "title": "t", "body": "b", "runs": [sent["id"]], "snapshots": [stored["id"]]}
        assert (await told(client, "share_finding", **finding))["researcher"] == "ann"
        assert [f["title"] for f in (await told(client, "list_findings"))["result"]] == ["t"]
        assert (await told(client, "get_submission", id=sent["id"]))["state"] == "queued"
        job = queue.claim(lab.store, "worker")
        assert job is not None
        queue.finish(lab.store, job, {"acc": 0.71234}, {"status": "improved", "pgr": 0.5})
        board = await told(client, "get_leaderboard", problem="toy")
        assert [(r["researcher"], r["rank"]) for r in board["rows"] if r["kind"] == "submission"] == [("ann", 1)]
        assert "0.71234" not in json.dumps(board)
        assert (await told(client, "get_budget"))["evaluations"][0]["left"] == 99

    if over == "stdio":
        bridged(str(served.add_researcher("ann")), token, act)
    else:
        with_agent(where, token, act)
    assert [e["actor"] for a in ("evaluate", "snapshot.put", "submission.queue") for e in audited(lab, a)] == [
        "ann"
    ] * 3


def bridged(where: str, token: str, act: Callable[[Client], Awaitable[Any]]) -> None:
    """Through `aar connect bridge` as an agent starts it."""
    line = StdioServerParameters(
        command=sys.executable,
        args=["-m", "aar.cli", "connect", "bridge"],
        env={"AAR_SERVER": where, "AAR_TOKEN": token},
    )

    async def run() -> None:
        async with Client(stdio_client(line)) as client:
            await act(client)

    asyncio.run(asyncio.wait_for(run(), 60))


def test_the_same_gate_budget_and_keys(lab: Lab, served: LabServer) -> None:
    """What was paid over HTTP is paid over MCP; a repeated key is answered once, with another vector it is refused."""
    token = tokens.create(lab.store, "ann")
    url = f"http://127.0.0.1:{served.port}"
    LabClient(url, token).evaluate("toy", VECTOR)
    assert isinstance(lab.scorer, FakeScorer)
    lab.scorer.limit = 2

    async def act(client: Client) -> None:
        again = await told(client, "evaluate_predictions", problem="toy", predictions=VECTOR)
        assert (again["duplicate"], again["budget_left"]) == (True, 1)
        other = VECTOR | {"r0": 1 - VECTOR["r0"]}
        for _ in range(2):
            paid = await told(client, "evaluate_predictions", problem="toy", predictions=other, key="k")
            assert (paid["duplicate"], paid["budget_left"]) == (False, 0)
        third = other | {"r1": 1 - VECTOR["r1"]}
        assert "key_reused" in await refused(client, "evaluate_predictions", problem="toy", predictions=third, key="k")
        assert "budget_spent" in await refused(client, "evaluate_predictions", problem="toy", predictions=third)
        assert "wrong_ids" in await refused(client, "evaluate_predictions", problem="toy", predictions={"r0": 1.0})
        assert "no_method" in await refused(client, "submit_method", problem="toy", name="m", files={"x.py": ""})
        assert "unknown_problem" in await refused(client, "get_leaderboard", problem="none")

    with_agent(url, token, act)
    assert len(lab.scorer.paid) == 2


def test_no_token_and_foreign_tokens_open_nothing(lab: Lab, served: LabServer) -> None:
    """None, a made-up one, an owner's on researcher acts, and another researcher's on this one's socket."""
    tokens.create(lab.store, "ann")
    lab.changed()
    socket, bob = served.add_researcher("ann"), tokens.create(lab.store, "bob")
    url = f"http://127.0.0.1:{served.port}"

    async def act(client: Client) -> str:
        return await refused(client, "evaluate_predictions", problem="toy", predictions=VECTOR)

    for where, token, code in (
        (url, None, "unauthorized"), (url, f"aar_{'0' * 12}_{'x' * 43}", "unauthorized"),
        (url, lab.owner_token(), "wrong_scope"), (socket, bob, "wrong_socket"),
    ):  # fmt: skip
        assert code in with_agent(where, token, act)
    assert audited(lab, "evaluate") == []


def test_a_body_that_http_refuses_is_refused(lab: Lab, served: LabServer) -> None:
    """A row id twice in one vector: JSON readers differ on which one counts, so neither does."""
    token = tokens.create(lab.store, "ann")
    call = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"evaluate_predictions","arguments":{"problem":"toy","predictions":{"r0":1,"r0":0}}}}'
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
    }
    answer = httpx2.post(f"http://127.0.0.1:{served.port}/mcp/", content=call, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "duplicate_ids")
