"""The arm `inspect`, whole: a real Inspect process, a real sandbox and a real SDK against a scripted Messages API."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from typing import Any

import pytest
from inspect_ai.log import list_eval_logs, read_eval_log

from aar.errors import InputError, ProviderDown
from aar.researchers.base import Llm, Stopped
from aar.researchers.llm import given
from aar.researchers.llm.given import ready
from aar.researchers.llm.prices import Prices, Tokens
from aar.testing.messages import FakeMessages

MODEL = "anthropic/scripted"


def billed_usd(fake: FakeMessages) -> float:
    """What the provider would put on the bill."""
    return sum(Prices().usd(MODEL, Tokens(b.tokens_in, out=b.tokens_out)) for b in fake.billed)


def test_a_whole_researcher(lab: Any, fake: FakeMessages) -> None:
    """It reads, writes, tries, evaluates, shares, hands in; the ledger is the provider's bill; no secret is left anywhere;
    Inspect reads its log."""
    lab.session()
    acts = [call["function"] for a in lab.steps("model") for call in a["message"].get("tool_calls") or ()]
    assert {
        "bash",
        "write_file",
        "try_method",
        "evaluate",
        "note",
        "upload_snapshot",
        "share_finding",
        "submit",
        "verdict",
    } <= set(acts)
    assert acts[-1] == "finish"
    assert [p["researcher"] for p in lab.world.lab.posts] == ["ada", "ada"]
    assert lab.world.lab.posts[1]["runs"] == [1]
    assert len(lab.world.lab.queue) == 1
    assert lab.purse.spent("s", "ada") == pytest.approx(billed_usd(fake))
    assert billed_usd(fake) > 0.1
    assert all(b.whole for b in fake.billed)
    secrets = {fake.key.encode()}
    assert not [path for path, data in lab.texts() if any(s in data for s in secrets)]
    (look, *_) = lab.steps("bash")  # its first command prints its environment and process 1's
    assert "task.json" in look
    assert not [word for word in ("anthropic", "aar_token", "api_key", "http") if word in look.lower()]
    (found,) = list_eval_logs(str(lab.home / "logs"))
    log = read_eval_log(found)
    assert log.status == "success"
    assert log.samples
    assert log.samples[0].messages[-1].role == "assistant"
    assert len([m for m in log.samples[0].messages if m.role == "tool"]) == len(acts) - 1


@pytest.mark.parametrize("kills", [1, pytest.param(4, marks=pytest.mark.soak)])
def test_killed_in_the_middle_it_goes_on(lab: Any, fake: FakeMessages, kills: int) -> None:
    """kill -9 of the process again and again, mostly before it is done: every act happens once, and every answer that
    was taken in is charged once. What was under way when it died is charged at its worst case."""
    stop, killed = threading.Event(), []

    def kill() -> None:
        while not stop.wait(0.05):
            steps = len(lab.home.joinpath("journal.jsonl").read_bytes().splitlines()) if lab.home.exists() else 0
            if len(killed) < kills and steps > 60 // kills * (len(killed) + 1) - 10:
                for pid in lab.children()[:1]:
                    os.kill(pid, signal.SIGKILL)
                    killed.append(steps)
                    time.sleep(0.5)

    threading.Thread(target=kill, daemon=True).start()
    starts = lab.until_done()
    stop.set()
    assert (len(killed), starts) == (kills, kills + 1)
    assert [p["runs"] for p in lab.world.lab.posts] == [[], [1]]
    assert (len(lab.world.lab.queue), len(lab.world.lab.code)) == (1, 2)
    answers = lab.steps("model")
    settled = {e.ref: e for e in lab.purse.settled("s")}
    told = {a["ref"]: Prices().usd(a["model"], Tokens(**a["tokens"])) for a in answers}
    assert len(told) == len(answers)
    assert {ref: settled[ref].usd for ref in told} == pytest.approx(told)
    lost = [e for ref, e in settled.items() if ref not in told]
    assert all(e.settled["lost"] for e in lost)
    assert len(settled) == len(told) + len(lost)
    assert billed_usd(fake) <= lab.purse.spent("s", "ada") + 1e-9


@pytest.mark.soak
def test_a_provider_that_fails(lab: Any, fake: FakeMessages, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rate limits and overload are waited out and cost nothing; what broke inside or on the way is charged at its worst case."""
    monkeypatch.setattr("aar.researchers.llm.asking.WAITS_S", (0.05,))
    fake.faults = {2: "429", 3: "529", 5: "500", 8: "cut"}.get
    lab.session()
    lost = [e for e in lab.purse.settled("s") if e.settled and e.settled.get("lost")]
    released = [e for e in lab.purse.settled("s") if e.settled and "release" in e.settled]
    assert (len(lost), len(released)) == (2, 2)
    assert [b.whole for b in fake.billed].count(False) == 1
    assert billed_usd(fake) < lab.purse.spent("s", "ada")


@pytest.mark.soak
def test_a_key_that_does_not_work_stops_it_clearly(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, with what to do, and nothing charged."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "wrong")
    with pytest.raises(ProviderDown, match="refuses") as caught:
        lab.session()
    assert caught.value.code == "model_refused"
    assert "key" in caught.value.hint
    assert lab.purse.spent("s") == 0


@pytest.mark.soak
def test_a_cap_ends_it_and_a_larger_one_lets_it_go_on(lab: Any, fake: FakeMessages) -> None:
    """It stops before the request that could pass the cap; resumed with more it ends, and no act is repeated."""
    with pytest.raises(Stopped) as caught:
        lab.session(Llm(model=MODEL, usd=0.25))
    assert caught.value.code == "cap_reached"
    assert 0 < billed_usd(fake) <= lab.purse.spent("s", "ada") <= 0.25
    assert 0 < len(lab.steps("model")) < 15
    lab.session(Llm(model=MODEL, usd=5.0))
    assert len(lab.world.lab.posts) == 2


@pytest.mark.soak
def test_a_conversation_that_is_too_long_is_cut(lab: Any, fake: FakeMessages) -> None:
    """The notebook and the last messages go on; every request stays within the context."""
    seen: list[dict[str, Any]] = []

    def brain(request: dict[str, Any]) -> list[dict[str, Any]]:
        seen.append(request)
        n = len(seen)
        if n > 12:
            return [{"type": "tool_use", "id": f"t{n}", "name": "finish", "input": {"summary": ""}}]
        if n == 1:
            return [{"type": "tool_use", "id": "t1", "name": "note", "input": {"text": "the teacher is shy"}}]
        return [{"type": "tool_use", "id": f"t{n}", "name": "bash", "input": {"command": f"seq -s ' ' {n} 1500"}}]

    fake.brain = brain
    lab.session(Llm(model=MODEL, context=12_000))
    sizes = [len(json.dumps(r)) // 4 for r in seen]
    assert max(sizes) < 16_000
    cut = next(i for i in range(1, len(sizes)) if sizes[i] < sizes[i - 1])
    assert "the teacher is shy" in json.dumps(seen[cut]["messages"][0])
    assert "weak-to-strong" in json.dumps(seen[cut]["system"])


@pytest.mark.soak
def test_tool_calls_that_make_no_sense(lab: Any, fake: FakeMessages) -> None:
    """Unknown tools, wrong arguments, missing folders and files are told to the model, and it goes on."""
    calls = [
        ("fly", {}), ("bash", {"cmd": "ls"}), ("try_method", {"folder": "/nowhere"}), ("evaluate", {"trial": "none"}), ("read_file", {"path": "/etc/shadow"}),
        ("evaluate_file", {"path": "/task/test.jsonl"}), ("share_finding", {"kind": "result"}), ("verdict", {"submission": 77}),
        ("download_snapshot", {"id": "../../etc"}), ("job", {"number": 9}), ("write_file", {"path": "/task/x", "text": "x"}),
    ]  # fmt: skip
    fake.brain = lambda request: [
        {"type": "tool_use", "id": f"t{len(request['messages'])}", "name": name, "input": args}
        for name, args in [[*calls, ("finish", {"summary": ""})][min(len(request["messages"]) // 2, len(calls))]]
    ]
    lab.session()
    log = read_eval_log(list_eval_logs(str(lab.home / "logs"))[0])
    assert log.samples
    said = [m.text for m in log.samples[0].messages if m.role == "tool"]
    assert len(said) == len(calls)
    assert all("error" in s or "exit" in s or "lost" in s for s in said), said


@pytest.mark.soak
def test_jobs_go_on_while_it_thinks(lab: Any, fake: FakeMessages) -> None:
    """A job's output and end are there for later turns."""
    moves = [
        ("start_job", {"command": "echo begun; sleep 1; echo done"}),
        ("bash", {"command": "sleep 2.5"}),
        ("job", {"number": 1}),
        ("finish", {"summary": ""}),
    ]
    fake.brain = lambda request: [
        {"type": "tool_use", "id": f"t{len(request['messages'])}", "name": name, "input": args}
        for name, args in [moves[len(request["messages"]) // 2]]
    ]
    lab.session()
    (told,) = lab.steps("job")
    state, _, output = told.partition("\n")
    assert (json.loads(state)["state"], json.loads(state)["code"]) == ("ended", 0)
    assert output.strip() == "begun\ndone"


def test_it_does_not_start_without_what_it_needs(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model, a price that somebody knows, a sandbox: each missing one is named before anything is asked or spent."""
    prices = Prices()
    for llm, code in (
        (Llm(), "no_model"),
        (Llm(model="vllm/mine"), "unknown_price"),
        (Llm(model=MODEL, think="ollama/x"), "unknown_price"),
    ):
        with pytest.raises(InputError) as caught:
            ready("inspect", llm, prices)
        assert caught.value.code == code

    def none() -> None:
        raise ProviderDown("no sandbox works here", hint="install bubblewrap")

    monkeypatch.setattr(given, "available", none)
    with pytest.raises(ProviderDown) as down:
        lab.session()
    assert (down.value.code, lab.fake.requests) == ("no_sandbox", 0)


@pytest.mark.soak
def test_an_owners_own_words(lab: Any, fake: FakeMessages) -> None:
    """A template in the lab's folder is what the model is told; it is filled in once and kept."""
    seen: list[Any] = []

    def brain(request: dict[str, Any]) -> list[dict[str, Any]]:
        seen.append(request)
        return [{"type": "tool_use", "id": "t", "name": "finish", "input": {"summary": ""}}]

    fake.brain = brain
    own = lab.root / "prompts" / "task.md"
    own.parent.mkdir(parents=True)
    own.write_text("Hello $name, think of $problem for $$5.")
    lab.session()
    own.write_text("changed")
    (lab.home / "journal.jsonl").unlink()
    lab.session()
    assert ["Hello ada, think of toy for $5." in json.dumps(r["messages"]) for r in seen] == [True, True]


@pytest.mark.soak
def test_any_model_that_inspect_knows(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inspect's own mock: it calls no tool, is asked to go on, and is done after three answers; a free model costs 0 because
    the owner wrote so."""
    lab.root.mkdir(parents=True, exist_ok=True)
    (lab.root / "prices.toml").write_text('["mockllm/model"]\ninput = 0.0\noutput = 0.0\n')
    lab.session(Llm(model="mockllm/model"))
    assert [a["text"] for a in lab.steps("model")] == ["Default output from mockllm/model"] * 3
    assert lab.purse.spent("s") == 0
