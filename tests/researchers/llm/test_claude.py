"""The arm `claude`, whole: the real Claude Code in a real sandbox, the real SDKs, against a scripted Messages API."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("claude_agent_sdk", reason='the extra "claude" is not installed')

from inspect_ai.log import read_eval_log

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
    used = [m.function for m in log.samples[0].messages if m.role == "tool"]
    assert {"Bash", "Write", "mcp__lab__try_method", "mcp__lab__submit", "mcp__lab__think_hard"} <= set(used)
    look = next(m.text for m in log.samples[0].messages if m.role == "tool")  # its first command prints its environment
    assert "task.json" in look
    assert "kept-outside" in look
    assert not [word for word in ("aar_token", "fake-", "127.0.0.1") if word in look.lower()]
