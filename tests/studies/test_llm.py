"""LLM researchers and outside agents in a real study: server, workers, sandboxes, forum and ledger are the real ones."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("inspect_ai", reason='the extra "llm" is not installed')

import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from aar.errors import InputError
from aar.lab.leaderboard import UNRANKED
from aar.lab.service import running
from aar.researchers import starts
from aar.researchers.base import Llm
from aar.researchers.llm.prices import SCRIPTED, Prices, Tokens
from aar.researchers.llm.purse import Purse
from aar.settings import LabFolder
from aar.studies.finalize import finalize
from aar.studies.runner import run_study
from aar.studies.spec import StudyFolder, StudySpec, team
from aar.testing.messages import FakeMessages


def new(lab: LabFolder, problem: str, arms: list[tuple[str, int]], llm: Llm, **budgets: Any) -> StudyFolder:
    settings: dict[str, Any] = {"wall_s": 400.0, "trials": 6, "evaluations": 1, "submissions": 1, "seeds": 2, **budgets}
    folder = StudyFolder(lab, "a")
    folder.create(StudySpec("a", problem, team("a", arms, starts.names()), llm=llm, **settings))
    return folder


@pytest.fixture
def problem(made_lab: LabFolder) -> str:
    """What `made_lab` was made with."""
    (path,) = (made_lab.root / "problems").glob("*/card.json")
    return str(json.loads(path.read_text())["problem"])


def findings(folder: StudyFolder) -> list[dict[str, Any]]:
    return [json.loads(p.read_text()) for p in sorted(folder.findings.glob("*.json"), key=lambda p: int(p.stem))]


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_study_of_scripted_models(quick_lab: LabFolder, problem: str) -> None:
    """Two of them: verified submissions from each, findings that cite each other, a ledger with dollars, no secret left."""
    folder = new(quick_lab, problem, [("inspect", 2)], Llm(model="scripted"))
    ended = run_study(quick_lab, "a")
    assert (ended.complete, ended.evaluations, ended.submissions, ended.unsettled) == (True, 2, 2, 0)
    posts = findings(folder)
    names = {m.name for m in folder.load().researchers}
    assert {p["researcher"] for p in posts} == names
    cited = [
        (p["researcher"], posts[int(b.removeprefix("finding:")) - 1]["researcher"])
        for p in posts
        for b in p["builds_on"]
        if b.startswith("finding:")
    ]
    assert cited
    assert all(who != whose for who, whose in cited)
    tokens = json.loads((folder.root / "tokens.json").read_text())
    with running(quick_lab, workers=0) as owner:
        submissions = owner.call("GET", "submissions")
        spent = {t["researcher"]: t for t in owner.call("GET", "ledger", query={"study": "a"})}
    assert {(s["researcher"], s["state"]) for s in submissions} == {(n, "verified") for n in names}
    for name in names:
        assert spent[name]["usd"] == pytest.approx(Purse(quick_lab.spending).spent("a", name))
        assert spent[name]["tokens_in"] > 10_000
    for path in folder.root.rglob("*"):
        if path.is_file() and path.name != "tokens.json":
            data = path.read_bytes()
            assert not [n for n, token in tokens.items() if token.encode() in data], path
            assert b"fake-" not in data, path


@pytest.mark.soak
@pytest.mark.timeout(1500)
def test_kills_of_every_kind(
    quick_lab: LabFolder, problem: str, campaign: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kill -9 of runner, server, worker, hands and the researchers' own processes for two minutes: every acknowledged act is in
    the lab once; every answer that was taken in is charged once, at what the provider billed; nothing passes the cap."""
    import random

    with FakeMessages() as fake:
        for key, value in fake.environment.items():
            monkeypatch.setenv(key, value)
        new(
            quick_lab,
            problem,
            [("inspect", 2), ("search", 1)],
            Llm(model=SCRIPTED, usd=4.0, usd_study=6.0),
            wall_s=1200.0,
        )
        run = campaign.Campaign(quick_lab, "a", pause_s=3.0, rng=random.Random(7))
        run.run(kills_s=120.0, most_s=1400.0)
        assert len(run.killed) >= 3, run.killed
        campaign.check_exactly_once(quick_lab, "a")
        prices, purse = Prices(), Purse(quick_lab.spending)
        bill = sum(prices.usd(SCRIPTED, Tokens(b.tokens_in, out=b.tokens_out)) for b in fake.billed)
        told = [
            line["answer"]["ref"]
            for m in StudyFolder(quick_lab, "a").load().researchers
            if m.arm == "inspect"
            for line in answers(quick_lab, m.name)
        ]
        real = {e.ref: e for e in purse.settled("a") if e.settled and "tokens_in" in e.settled}
        assert sorted(told) == sorted(real)
        assert bill <= purse.spent("a") + 1e-9 <= 6.0 + 1e-9
    assert campaign.alive(quick_lab) == []


def answers(lab: LabFolder, name: str) -> list[dict[str, Any]]:
    """The recorded answers of models."""
    lines = [json.loads(line) for line in (StudyFolder(lab, "a").home(name) / "journal.jsonl").read_text().splitlines()]
    asked = {line["step"] for line in lines if line.get("call") == "model"}
    return [line for line in lines if line["step"] in asked and "answer" in line]


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_an_outside_agent_plays_and_never_ranks(quick_lab: LabFolder, problem: str, made_lab: LabFolder) -> None:
    """The real MCP client on the study's own socket works while the study runs: it is scored by the same gate, its rerun is
    verified, its finding reaches the files of the others; it has no rank, and a final lane with it alone is not opened."""
    folder = new(quick_lab, problem, [("external", 1)], Llm(), wall_s=1e6)
    stop, failed = threading.Event(), list[BaseException]()

    def play() -> None:
        try:
            asyncio.run(asyncio.wait_for(agent(folder), 200))
        except BaseException as error:
            failed.append(error)
        stop.set()

    player = threading.Thread(target=play, daemon=True)
    player.start()
    run_study(quick_lab, "a", stop=stop)
    player.join(10)
    assert failed == []
    assert [p["researcher"] for p in findings(folder)] == ["a.external-1"]
    with running(quick_lab, workers=0) as owner:
        board = [r for r in owner.leaderboard(problem)["rows"] if r["kind"] == "submission"]
    assert [(r["researcher"], r["rank"], r["note"]) for r in board] == [("a.external-1", None, UNRANKED)]
    with pytest.raises(InputError) as refused:
        finalize(quick_lab, "a")
    assert refused.value.code == "nothing_verified"


async def agent(folder: StudyFolder) -> None:
    """What somebody's own agent does, with what `aar connect` gives it."""
    socket = folder.lab.sockets / "a.external-1" / "api.sock"
    while not socket.exists() or not (folder.root / "tokens.json").exists():
        await asyncio.sleep(0.2)
    token = json.loads((folder.root / "tokens.json").read_text())["a.external-1"]
    problem = folder.load().problem
    rows = [json.loads(line)["id"] for line in (folder.task / "test.jsonl").read_text().splitlines()]
    http = httpx2.AsyncClient(
        transport=httpx2.AsyncHTTPTransport(uds=str(socket)), headers={"Authorization": f"Bearer {token}"}, timeout=60
    )
    async with http, Client(streamable_http_client("http://lab/mcp/", http_client=http)) as client:

        async def told(tool: str, **args: Any) -> Any:
            answer = await client.call_tool(tool, args)
            assert not answer.is_error, answer.content
            return answer.structured_content

        before = (await told("get_budget"))["evaluations"][0]["left"]
        answer = await told(
            "evaluate_predictions", problem=problem, predictions={id_: (i % 2) * 1.0 for i, id_ in enumerate(rows)}
        )
        assert answer["status"] in ("improved", "not_improved")
        assert (await told("get_budget"))["evaluations"][0]["left"] == before - 1
        vanilla = "from aar.methods.vanilla import run\n"
        sent = await told("submit_method", problem=problem, name="mine", files={"method.py": vanilla})
        end = time.monotonic() + 150
        while (row := await told("get_submission", id=sent["id"]))["state"] in ("queued", "running"):
            assert time.monotonic() < end
            await asyncio.sleep(0.5)
        assert row["state"] == "verified", row
        await told("share_finding", kind="result", title="vanilla runs", body="b", runs=[sent["id"]])
        await asyncio.sleep(2.5)  # the forum is synced about once a second
