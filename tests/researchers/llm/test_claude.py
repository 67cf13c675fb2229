"""The arm `claude`, whole: the real Claude Code in a real sandbox, the real SDKs, against a scripted Messages API."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from typing import Any

import psutil
import pytest

pytest.importorskip("claude_agent_sdk", reason='the extra "claude" is not installed')

from inspect_ai.log import read_eval_log

from aar.errors import ProviderDown
from aar.researchers.base import Llm, Stopped
from aar.researchers.llm.prices import Prices, Tokens
from aar.testing.messages import FakeMessages


@pytest.fixture
def lab(lab: Any) -> Any:
    lab.arm = "claude"
    return lab


def billed_usd(fake: FakeMessages) -> float:
    return sum(Prices().usd("anthropic/scripted", Tokens(b.tokens_in, out=b.tokens_out)) for b in fake.billed)


def test_a_whole_researcher(lab: Any, fake: FakeMessages) -> None:
    """It works with its own shell and editor and the lab's tools; the ledger is the provider's bill; no secret is left
    anywhere; Inspect reads its log."""
    lab.session()
    assert [p["researcher"] for p in lab.world.lab.posts] == ["ada", "ada"]
    assert lab.world.lab.posts[1]["runs"] == [1]
    assert (len(lab.world.lab.queue), len(lab.world.lab.code)) == (1, 2)
    assert lab.purse.spent("s", "ada") == pytest.approx(billed_usd(fake))
    assert billed_usd(fake) > 0.1
    assert not [path for path, data in lab.texts() if fake.key.encode() in data]
    log = read_eval_log(str(lab.home / "logs" / "ada.eval"))
    assert log.samples
    assert len(log.samples) == 2  # its conversation, and the question to the strong model
    used = [m.function for m in log.samples[0].messages if m.role == "tool"]
    assert {"Bash", "Write", "mcp__lab__try_method", "mcp__lab__submit", "mcp__lab__think_hard"} <= set(used)
    look = next(m.text for m in log.samples[0].messages if m.role == "tool")  # its first command prints its environment
    assert "task.json" in look
    assert "kept-outside" in look
    assert not [word for word in ("aar_token", "fake-", "127.0.0.1") if word in look.lower()]


@pytest.mark.parametrize("kills", [pytest.param(1, marks=pytest.mark.soak), pytest.param(4, marks=pytest.mark.soak)])
def test_killed_it_goes_on_from_its_own_memory(lab: Any, fake: FakeMessages, kills: int) -> None:
    """kill -9 of Claude Code again and again: every act happens once, every answer that was passed on is charged once."""
    stop, killed = threading.Event(), list[int]()

    def acts() -> int:
        path = lab.home / "asked.jsonl"
        return len(path.read_bytes().splitlines()) if path.exists() else 0

    def kill() -> None:
        while not stop.wait(0.02):
            if len(killed) < kills and acts() > 12 // kills * (len(killed) + 1) - 4:
                for process in psutil.Process().children(recursive=True):
                    with suppress(psutil.Error):
                        if process.cmdline()[:1] == ["/opt/claude"]:
                            process.kill()
                            killed.append(acts())
                            break
                time.sleep(1)

    threading.Thread(target=kill, daemon=True).start()
    starts = lab.until_done(llm=Llm(model="anthropic/scripted", usd=5.0))  # kills cost questions asked twice
    stop.set()
    assert (len(killed), starts) == (kills, kills + 1)
    assert [p["runs"] for p in lab.world.lab.posts] == [[], [1]]
    assert (len(lab.world.lab.queue), len(lab.world.lab.code)) == (1, 2)
    asked = [json.loads(line) for line in (lab.home / "model.jsonl").read_text().splitlines()]
    told = [line["ref"] for line in asked if "ref" in line]
    real = [e.ref for e in lab.purse.settled("s") if e.settled and "tokens_in" in e.settled]
    assert sorted(told) == sorted(real)
    assert billed_usd(fake) <= lab.purse.spent("s", "ada") + 1e-9


@pytest.mark.soak
def test_a_cap_ends_it_and_a_larger_one_lets_it_go_on(lab: Any, fake: FakeMessages) -> None:
    """It stops before the request that could pass the cap, and goes on from there with more."""
    with pytest.raises(Stopped) as caught:
        lab.session(Llm(model="anthropic/scripted", usd=0.6))
    assert caught.value.code == "cap_reached"
    assert 0 < billed_usd(fake) <= lab.purse.spent("s", "ada") <= 0.6
    lab.session(Llm(model="anthropic/scripted", usd=10.0))
    assert [p["runs"] for p in lab.world.lab.posts] == [[], [1]]


@pytest.mark.soak
def test_a_provider_that_fails(lab: Any, fake: FakeMessages, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rate limits, overload, errors and cut answers are waited out by the host: the program inside hears of none."""
    monkeypatch.setattr("aar.researchers.llm.asking.WAITS_S", (0.05,))
    fake.faults = {2: "429", 3: "529", 5: "500", 8: "cut"}.get
    lab.session(Llm(model="anthropic/scripted", usd=4.0))
    entries = [e.settled for e in lab.purse.settled("s") if e.settled]
    assert (sum("lost" in e for e in entries), sum("release" in e for e in entries)) == (2, 2)
    assert billed_usd(fake) < lab.purse.spent("s", "ada")
    assert len(lab.world.lab.posts) == 2


@pytest.mark.soak
def test_a_key_that_does_not_work_stops_it_clearly(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "wrong")
    with pytest.raises(ProviderDown, match="refuses") as caught:
        lab.session()
    assert (caught.value.code, lab.purse.spent("s")) == ("model_refused", 0)
