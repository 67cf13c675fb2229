"""Anthropic's Messages API on loopback: streamed or not, with tools and errors."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

from aar.testing.server import Blocks, ScriptedServer

KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class FakeMessages(ScriptedServer):
    path = "/v1/messages"

    @property
    def environment(self) -> dict[str, str]:  # type: ignore[override]
        return {"ANTHROPIC_BASE_URL": self.url, "ANTHROPIC_API_KEY": self.key}

    def read(self, request: dict[str, Any]) -> dict[str, Any]:
        return request

    def whole(self, request: dict[str, Any], blocks: Blocks, tokens: tuple[int, int]) -> dict[str, Any]:
        return {
            "id": f"msg_{secrets.token_hex(8)}", "type": "message", "role": "assistant", "model": request["model"], "content": blocks,
            "stop_reason": "tool_use" if any(b["type"] == "tool_use" for b in blocks) else "end_turn", "stop_sequence": None,
            "usage": {"input_tokens": tokens[0], "output_tokens": tokens[1]},
        }  # fmt: skip

    def parts(self, request: dict[str, Any], whole: dict[str, Any]) -> Iterator[str]:
        return (f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events(whole))

    def error(self, status: int, text: str) -> dict[str, Any]:
        return {"type": "error", "error": {"type": KINDS.get(status, "api_error"), "message": text}}


def events(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The server-sent events of an answer that is there: what is streamed to whoever wants a stream."""
    usage = message["usage"]
    begun = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    yield {"type": "message_start", "message": begun}
    for index, block in enumerate(message["content"]):
        start, deltas = _parts(block)
        yield {"type": "content_block_start", "index": index, "content_block": start}
        yield from ({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas)
        yield {"type": "content_block_stop", "index": index}
    end = {"stop_reason": message["stop_reason"], "stop_sequence": message.get("stop_sequence")}
    yield {"type": "message_delta", "delta": end, "usage": {"output_tokens": usage["output_tokens"]}}
    yield {"type": "message_stop"}


def _parts(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A block as it starts, and what is added to it."""
    if block["type"] == "tool_use":
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
    if block["type"] == "text":
        return {**block, "text": ""}, [{"type": "text_delta", "text": block["text"]}]
    if block["type"] == "thinking":
        thought = {"type": "thinking_delta", "thinking": block["thinking"]}
        return {**block, "thinking": "", "signature": ""}, [
            thought,
            {"type": "signature_delta", "signature": block["signature"]},
        ]
    return block, []
