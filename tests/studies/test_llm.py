"""LLM researchers and outside agents in a real study: server, workers, sandboxes, forum and ledger are the real ones."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
import time
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("inspect_ai", reason='the extra "llm" is not installed')

import httpx2
from inspect_ai.log import list_eval_logs, read_eval_log
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
from aar.studies.spec import Member, StudyFolder, StudySpec, team
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
@pytest.mark.parametrize("arm", ["inspect", "claude"])
def test_a_study_of_scripted_models(quick_lab: LabFolder, problem: str, arm: str) -> None:
    """Two of them: verified submissions from each, findings that cite each other, a ledger with dollars, transcripts that Inspect
    reads, and no secret in anything that they left."""
    pytest.importorskip("claude_agent_sdk" if arm == "claude" else "inspect_ai")
    folder = new(quick_lab, problem, [(arm, 2)], Llm(model="scripted", usd=3.0))
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
    with running(quick_lab, workers=0) as owner:
        submissions = owner.call("GET", "submissions")
        spent = {t["researcher"]: t for t in owner.call("GET", "ledger", query={"study": "a"})}
    assert {(s["researcher"], s["state"]) for s in submissions} == {(n, "verified") for n in names}
    for name in names:
        assert spent[name]["usd"] == pytest.approx(Purse(quick_lab.spending).spent("a", name), abs=1e-6)
        assert spent[name]["tokens_in"] > 10_000
        (log,) = list_eval_logs(str(folder.home(name) / "logs"))
        sample, *_ = read_eval_log(log).samples or ()
        assert len([m for m in sample.messages if m.role == "tool"]) > 10
    assert leaks(quick_lab, secrets_of(quick_lab, folder)) == []
    (quick_lab.root / "planted.gz").write_bytes(gzip.compress(b"x" + quick_lab.secret.read_bytes()))
    assert len(leaks(quick_lab, secrets_of(quick_lab, folder))) == 1  # the scan does see one


def secrets_of(lab: LabFolder, folder: StudyFolder) -> list[bytes]:
    """Tokens, the scripted provider's keys, the lab secret, and the mark that stands in every sealed file of labels."""
    tokens = json.loads((folder.root / "tokens.json").read_text()).values()
    marks = [path.read_bytes().strip() for path in lab.sealed.glob("testbeds/*/CANARY")]
    assert tokens
    assert marks
    return [*(t.encode() for t in tokens), b"fake-", lab.secret.read_bytes(), *marks]


def leaks(lab: LabFolder, secrets: list[bytes]) -> list[Path]:
    """Files outside the sealed folder that hold a secret: packed logs, git objects and the database are opened, too."""
    kept = {"tokens.json", "owner.token"}
    found = [p for p in lab.root.rglob("*") if p.is_file() and lab.sealed not in p.parents and p.name not in kept]
    return [p for p in found if any(secret in data for data in unpacked(p) for secret in secrets)]


def unpacked(path: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    yield data
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            yield from (packed.read(name) for name in packed.namelist())
    with suppress(zlib.error):
        yield zlib.decompress(data, wbits=47)  # gzip, or a git object


@pytest.mark.soak
@pytest.mark.timeout(1500)
def test_kills_of_every_kind(
    quick_lab: LabFolder, problem: str, campaign: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """3 inspect, 3 claude, 2 search and an outside agent, with kill -9 of runner, server, worker, hands and the researchers' own
    processes for five minutes: every acknowledged act is in the lab once, and nothing else; every answer that was taken in is
    charged once, at what the provider billed; nothing passes the cap."""
    import random

    pytest.importorskip("claude_agent_sdk", reason='the extra "claude" is not installed')
    arms, caps = (
        [("inspect", 3), ("claude", 3), ("search", 2), ("external", 1)],
        Llm(SCRIPTED, usd=12.0, usd_study=40.0),
    )
    with FakeMessages() as fake:
        for key, value in fake.environment.items():
            monkeypatch.setenv(key, value)
        folder = new(quick_lab, problem, arms, caps, wall_s=600.0)
        outside, ended = Outside(folder), threading.Event()
        player = threading.Thread(target=lambda: asyncio.run(outside.play(ended)), daemon=True)
        player.start()
        run = campaign.Campaign(quick_lab, "a", pause_s=4.0, rng=random.Random(7))
        run.run(kills_s=300.0, most_s=1400.0)
        ended.set()
        player.join(60)
        assert len(run.killed) >= 5, run.killed
        done = campaign.check_exactly_once(quick_lab, "a", outside.acts)
        assert done["finding"] > len(outside.acts) // 2 > 0
        prices, purse = Prices(), Purse(quick_lab.spending)
        bill = sum(prices.usd(SCRIPTED, Tokens(b.tokens_in, out=b.tokens_out)) for b in fake.billed)
        told = [ref for m in folder.load().researchers for ref in taken_in(folder, m)]
        real = [e.ref for e in purse.settled("a") if e.settled and "tokens_in" in e.settled]
        assert sorted(told) == sorted(real)
        assert bill <= purse.spent("a") + 1e-9 <= caps.usd_study + 1e-9
    assert campaign.alive(quick_lab) == []


class Outside:
    """Somebody's own agent: it tells what it sees again and again, each time under a key, until it is answered."""

    def __init__(self, folder: StudyFolder) -> None:
        self.folder, self.name = folder, f"{folder.name}.external-1"
        self.acts: list[tuple[str, str, dict[str, Any]]] = []

    async def play(self, ended: threading.Event) -> None:
        number = 0
        while not ended.is_set():
            key = f"outside/{number}"
            try:
                async with outside(self.folder) as told:
                    post = await told("share_finding", kind="insight", title=f"Seen {number}", body="b", key=key)
            except Exception:  # server, socket or study are away: the same again
                await asyncio.sleep(1)
                continue
            self.acts.append((self.name, "finding", {"key": key, "answer": {"id": post["id"]}}))
            number += 1
            await asyncio.sleep(3)


def taken_in(folder: StudyFolder, member: Member) -> list[str]:
    """Refs of the answers of models that this researcher heard."""
    if member.arm == "inspect":
        return [line["answer"]["ref"] for line in answers(folder.lab, member.name)]
    path = folder.home(member.name) / "model.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")] if path.exists() else []
    return [line["ref"] for line in lines if "ref" in line]


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


@asynccontextmanager
async def outside(folder: StudyFolder) -> AsyncIterator[Callable[..., Any]]:
    """The real MCP client, with what `aar connect` gives to a.external-1: `told(tool, **arguments)`."""
    token = json.loads((folder.root / "tokens.json").read_text())["a.external-1"]
    http = httpx2.AsyncClient(
        transport=httpx2.AsyncHTTPTransport(uds=str(folder.lab.sockets / "a.external-1" / "api.sock")),
        headers={"Authorization": f"Bearer {token}"}, timeout=60,
    )  # fmt: skip
    async with http, Client(streamable_http_client("http://lab/mcp/", http_client=http)) as client:

        async def told(tool: str, **args: Any) -> Any:
            answer = await client.call_tool(tool, args)
            assert not answer.is_error, answer.content
            return answer.structured_content

        yield told


async def agent(folder: StudyFolder) -> None:
    """What somebody's own agent does."""
    while not (folder.lab.sockets / "a.external-1" / "api.sock").exists() or not (folder.root / "tokens.json").exists():
        await asyncio.sleep(0.2)
    problem = folder.load().problem
    rows = [json.loads(line)["id"] for line in (folder.task / "test.jsonl").read_text().splitlines()]
    async with outside(folder) as told:
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
