"""The Messages API on loopback, asked by the real SDK."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

anthropic = pytest.importorskip("anthropic", reason='the extra "llm" is not installed')

from aar.testing.messages import FakeMessages  # noqa: E402

ASK = {
    "model": "scripted",
    "max_tokens": 500,
    "messages": [{"role": "user", "content": "You are ada, in the study s."}],
}
TOOL = {"name": "bash", "input_schema": {"type": "object", "properties": {}}}


@pytest.fixture
def fake() -> Iterator[FakeMessages]:
    with FakeMessages() as made:
        yield made


@pytest.mark.parametrize("auth", ["api_key", "auth_token"])
@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer(fake: FakeMessages, auth: str, streamed: bool) -> None:
    """Either header, streamed or not: the same text, tool call and usage, which is what is billed."""
    client = anthropic.Anthropic(base_url=fake.url, **{auth: fake.key}, max_retries=0)
    if streamed:
        with client.messages.stream(**ASK, tools=[TOOL]) as stream:
            answer = stream.get_final_message()
    else:
        answer = client.messages.create(**ASK, tools=[TOOL])
    text, use = answer.content
    assert (text.type, use.type, use.name, answer.stop_reason) == ("text", "tool_use", "bash", "tool_use")
    assert "command" in use.input
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (
        fake.billed[0].tokens_in,
        fake.billed[0].tokens_out,
    )


def test_faults(fake: FakeMessages) -> None:
    """Each comes back as the SDK's own error; only the answer that was cut is billed."""
    client = anthropic.Anthropic(base_url=fake.url, api_key=fake.key, max_retries=0)
    fake.faults = {1: "429", 2: "529", 3: "500", 4: "cut"}.get
    for kind in (anthropic.RateLimitError, anthropic.InternalServerError, anthropic.InternalServerError, Exception):
        with pytest.raises(kind):
            client.messages.create(**ASK)
    assert [b.whole for b in fake.billed] == [False]
    with pytest.raises(anthropic.AuthenticationError):
        anthropic.Anthropic(base_url=fake.url, api_key="other", max_retries=0).messages.create(**ASK)
