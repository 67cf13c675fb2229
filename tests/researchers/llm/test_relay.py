"""The relay, asked by the real SDK over its unix socket: what reaches the model, what does not, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("anthropic", reason='the extra "llm" is not installed')

import anthropic
import httpx2

from aar.errors import InputError
from aar.researchers.base import Llm
from aar.researchers.llm.asking import Asking
from aar.researchers.llm.passed_on import checked
from aar.researchers.llm.prices import SCRIPTED, Prices
from aar.researchers.llm.purse import Purse
from aar.researchers.llm.relay import Relay, provider_client
from aar.researchers.llm.transcript import Transcript, conversations
from aar.testing.messages import FakeMessages

HELLO = {"role": "user", "content": "You are ada, in the study s."}
ASK: dict[str, Any] = {"model": "scripted", "max_tokens": 500, "messages": [HELLO]}
TOOL = {"name": "bash", "input_schema": {"type": "object", "properties": {}}}
TOOLS = [TOOL, TOOL | {"name": "write_file"}]
MODELS = {"scripted": SCRIPTED}


class World:
    def __init__(self, world: Any, short: Path, fake: FakeMessages) -> None:
        self.fake, self.purse, self.record = fake, Purse(world.folder / "spending.jsonl"), world.folder / "model.jsonl"
        self.bench = world.bench(
            replace(world.assignment("ada", "claude"), llm=Llm("scripted", usd=0.05, max_tokens=1000))
        )
        client = provider_client(fake.environment)
        self.relay = Relay(short, Asking(self.bench, self.purse, Prices()), client, MODELS, Transcript(self.record))
        inside = httpx2.Client(transport=httpx2.HTTPTransport(uds=str(short / "model.sock")))
        self.sdk = anthropic.Anthropic(base_url="http://model", api_key="none", http_client=inside, max_retries=0)


@pytest.fixture
def inside(world: Any, short: Path) -> Iterator[World]:
    with FakeMessages() as fake:
        made = World(world, short, fake)
        with made.relay:
            yield made
        made.bench.close()


def test_an_answer_is_on_disk_and_paid_before_it_is_heard(inside: World) -> None:
    """Streamed or not; the key is added outside; the ledger is the bill; the conversation is kept once."""
    first = inside.sdk.messages.create(**ASK, tools=TOOLS)
    (text, use) = first.content
    assert (text.type, use.type) == ("text", "tool_use")
    said = [HELLO, {"role": "assistant", "content": [b.to_dict() for b in first.content]}]
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "ok"}
    with inside.sdk.messages.stream(
        **ASK | {"messages": [*said, {"role": "user", "content": [result]}]}, tools=TOOLS
    ) as stream:
        second = stream.get_final_message()
    assert second.content[1].name == "write_file"
    prices, billed = Prices().table[SCRIPTED], inside.fake.billed
    usd = sum(b.tokens_in * prices["input"] + b.tokens_out * prices["output"] for b in billed) / 1e6
    assert inside.purse.spent("s", "ada") == pytest.approx(usd)
    ((messages, _, answer),) = conversations(inside.record)
    assert (len(messages), answer["content"][1]["name"]) == (3, "write_file")
    assert inside.record.read_text().count("You are ada") == 1
    assert inside.fake.key not in inside.record.read_text()


def test_a_cap_ends_it(inside: World) -> None:
    """Whoever is inside may ask again and again: nothing more reaches the model, and the arm hears of it."""
    inside.fake.brain = lambda request: [{"type": "text", "text": "x" * 4000}]

    def ask(n: int) -> None:
        inside.sdk.messages.create(**ASK | {"messages": [{"role": "user", "content": f"{n}"}]})

    with pytest.raises(anthropic.PermissionDeniedError, match="cap"):
        any(ask(n) for n in range(50))
    asked = inside.fake.requests
    with pytest.raises(anthropic.PermissionDeniedError):
        inside.sdk.messages.create(**ASK)
    assert inside.relay.ended.is_set()
    assert (inside.fake.requests, inside.purse.spent("s") <= 0.05) == (asked, True)
    assert asked > 1


def test_what_the_provider_finds_wrong_is_told_and_free(inside: World) -> None:
    """A request that is malformed is its author's affair: others go on."""
    inside.fake.faults = {1: "400"}.get
    with pytest.raises(anthropic.BadRequestError, match="as planned"):
        inside.sdk.messages.create(**ASK)
    assert inside.purse.spent("s") == 0
    inside.sdk.messages.create(**ASK)
    assert not inside.relay.ended.is_set()


IMAGE = {"type": "image", "source": {"type": "url", "url": "http://elsewhere/?token=1"}}
NESTED = {"type": "tool_result", "tool_use_id": "t", "content": [IMAGE]}
BEYOND: dict[str, dict[str, Any]] = {
    "another model": {"model": "claude-opus"},
    "search by the provider": {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    "code at the provider": {"tools": [TOOL, {"type": "code_execution_20250825", "name": "code_execution"}]},
    "an address that it opens": {"messages": [{"role": "user", "content": [IMAGE]}]},
    "the same in a tool's result": {"messages": [{"role": "user", "content": [NESTED]}]},
    "a stored file": {
        "messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "file", "file_id": "f"}}]}]
    },
    "a packed document": {
        "messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "base64"}}]}]
    },
    "no number of tokens": {"max_tokens": "many"},
    "messages that are none": {"messages": 7},
}


@pytest.mark.parametrize("more", BEYOND.values(), ids=BEYOND.keys())
def test_nothing_behind_the_model_is_reached(inside: World, more: dict[str, Any]) -> None:
    """Refused before anything is reserved or sent."""
    with pytest.raises(InputError):
        checked(json.dumps(ASK | more).encode(), MODELS, 1000)
    with pytest.raises(anthropic.BadRequestError):
        inside.sdk.post("/v1/messages", body=ASK | more, cast_to=object)
    assert (inside.fake.requests, inside.purse.spent("s")) == (0, 0)


def test_what_changes_a_tokens_price_is_left_out(inside: World) -> None:
    """Unknown fields, servers of others, faster service and longer caches do not go out; an answer has its own length."""
    seen: list[dict[str, Any]] = []
    inside.fake.brain = lambda request: seen.append(request) or [{"type": "text", "text": "hm"}]  # type: ignore[func-returns-value]
    cached = {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    more = {"speed": "fast", "service_tier": "auto", "mcp_servers": [{"url": "http://elsewhere"}], "max_tokens": 10**6}
    inside.sdk.post(
        "/v1/messages", body=ASK | more | {"messages": [{"role": "user", "content": [cached]}]}, cast_to=object
    )
    (sent,) = seen
    assert set(sent) - {"stream"} == {"model", "messages", "max_tokens"}
    assert sent["max_tokens"] == 1000
    assert "1h" not in json.dumps(sent)


def test_only_messages_are_served(inside: World) -> None:
    for path in ("/v1/files", "/v1/messages/batches", "/v1/models"):
        with pytest.raises(anthropic.NotFoundError):
            inside.sdk.post(path, body={}, cast_to=object)
