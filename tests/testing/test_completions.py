"""The OpenAI-compatible server, asked by the real SDK, alone and through Inspect."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("openai", reason='the extra "llm" is not installed')

import openai

from aar.testing import server
from aar.testing.completions import FakeCompletions

ASK: dict[str, Any] = {"model": "any", "messages": [{"role": "user", "content": "You are ada, in the study s."}]}
TOOL = {"type": "function", "function": {"name": "bash", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture
def fake() -> Iterator[FakeCompletions]:
    with FakeCompletions() as made:
        yield made


def client(fake: FakeCompletions, key: str | None = None, **more: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{fake.url}/v1", api_key=key or fake.key, max_retries=0, **more)


def test_an_answer_whole_and_streamed(fake: FakeCompletions) -> None:
    """The same text, tool call and usage, which is what is billed."""
    whole = client(fake).chat.completions.create(**ASK, tools=[TOOL])
    (choice,), (call,) = whole.choices, whole.choices[0].message.tool_calls or ()
    assert (choice.finish_reason, call.type) == ("tool_calls", "function")
    with client(fake).chat.completions.stream(**ASK, tools=[TOOL], stream_options={"include_usage": True}) as stream:
        streamed = stream.get_final_completion()
    (again,) = streamed.choices[0].message.tool_calls or ()
    assert (again.function.name, again.function.arguments) == ("bash", call.function.arguments)  # type: ignore[union-attr]
    assert streamed.choices[0].message.content == choice.message.content
    assert streamed.usage
    billed = [(b.tokens_in, b.tokens_out, b.whole) for b in fake.billed]
    assert billed[1] == (streamed.usage.prompt_tokens, streamed.usage.completion_tokens, True)


def test_it_reads_a_conversation(fake: FakeCompletions) -> None:
    """Its own call and the answer to it come back in the next request: the next move follows from them."""
    said = client(fake).chat.completions.create(**ASK, tools=[TOOL]).choices[0].message
    (call,) = said.tool_calls or ()
    told = [
        *ASK["messages"],
        said.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "ok"},
    ]
    writer = {"type": "function", "function": {"name": "write_file"}}
    after = client(fake).chat.completions.create(model="any", messages=told, tools=[TOOL, writer]).choices[0].message
    assert [c.function.name for c in after.tool_calls or ()] == ["write_file"]  # type: ignore[union-attr]


@pytest.mark.parametrize("streamed", [False, True])
def test_faults(fake: FakeCompletions, monkeypatch: pytest.MonkeyPatch, streamed: bool) -> None:
    """Each comes back as the SDK's own error; what was cut, and what took too long, is billed."""
    monkeypatch.setattr(server, "SLOW_S", 0.5)
    fake.faults = {1: "429", 2: "500", 3: "cut", 4: "slow"}.get
    kinds = (openai.RateLimitError, openai.InternalServerError, Exception, openai.APITimeoutError)
    for kind, patience in zip(kinds, (5, 5, 5, 0.1), strict=True):
        with pytest.raises(kind):
            list(client(fake, timeout=patience).chat.completions.create(**ASK, stream=streamed))
    assert fake.billed[0].whole is False
    with pytest.raises(openai.AuthenticationError):
        client(fake, "other").chat.completions.create(**ASK)


def test_through_inspect(fake: FakeCompletions, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inspect's provider for servers of this kind: a tool call, usage, and a rate limit that it waits out."""
    model = pytest.importorskip("inspect_ai.model", reason='the extra "llm" is not installed')
    tool = pytest.importorskip("inspect_ai.tool")
    for name, value in fake.environment.items():
        monkeypatch.setenv(name, value)
    fake.faults = {1: "429"}.get
    asked = model.get_model("openai-api/fake/any", config=model.GenerateConfig(max_retries=2))
    info = tool.ToolInfo(name="bash", description="a shell")
    output = asyncio.run(asked.generate("You are ada, in the study s.", tools=[info]))
    assert [call.function for call in output.message.tool_calls or ()] == ["bash"]
    assert (output.usage.input_tokens, fake.requests) == (fake.billed[0].tokens_in, 2)
