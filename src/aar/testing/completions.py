"""An OpenAI-compatible server on loopback (chat completions): streamed or not, with tools and errors."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from typing import Any

from aar.testing.server import Blocks, ScriptedServer


class FakeCompletions(ScriptedServer):
    """Any model name. For Inspect: `openai-api/fake/NAME`."""

    path = "/v1/chat/completions"

    @property
    def environment(self) -> dict[str, str]:  # type: ignore[override]
        there = f"{self.url}/v1"
        return {"OPENAI_BASE_URL": there, "OPENAI_API_KEY": self.key, "FAKE_BASE_URL": there, "FAKE_API_KEY": self.key}

    def read(self, request: dict[str, Any]) -> dict[str, Any]:
        told = [m["content"] for m in request["messages"] if m["role"] in ("system", "developer")]
        tools = [
            {"name": t["function"]["name"], "input_schema": t["function"].get("parameters", {})}
            for t in request.get("tools") or []
        ]
        said = [_message(m) for m in request["messages"] if m["role"] not in ("system", "developer")]
        return {"model": request["model"], "system": told, "messages": said, "tools": tools}

    def whole(self, request: dict[str, Any], blocks: Blocks, tokens: tuple[int, int]) -> dict[str, Any]:
        text = "".join(b["text"] for b in blocks if b["type"] == "text")
        calls = [
            {"id": b["id"], "type": "function", "function": {"name": b["name"], "arguments": json.dumps(b["input"])}}
            for b in blocks if b["type"] == "tool_use"
        ]  # fmt: skip
        message = {"role": "assistant", "content": text or None} | ({"tool_calls": calls} if calls else {})
        return {
            "id": f"chatcmpl-{secrets.token_hex(8)}", "object": "chat.completion", "created": int(time.time()), "model": request["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}],
            "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)},
        }  # fmt: skip

    def parts(self, request: dict[str, Any], whole: dict[str, Any]) -> Iterator[str]:
        head = {k: whole[k] for k in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
        ((choice,), message) = whole["choices"], whole["choices"][0]["message"]
        deltas = [{"role": "assistant", "content": message["content"] or ""}]
        for index, call in enumerate(message.get("tool_calls", ())):
            begun = {**call, "function": {**call["function"], "arguments": ""}}
            more = {"function": {"arguments": call["function"]["arguments"]}}
            deltas += [{"tool_calls": [{"index": index, **part}]} for part in (begun, more)]
        made = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
        made.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
        if (request.get("stream_options") or {}).get("include_usage"):
            made.append({**head, "choices": [], "usage": whole["usage"]})
        yield from (f"data: {json.dumps(chunk)}\n\n" for chunk in made)
        yield "data: [DONE]\n\n"

    def error(self, status: int, text: str) -> dict[str, Any]:
        return {
            "error": {"message": text, "type": "rate_limit_exceeded" if status == 429 else "error", "code": str(status)}
        }


def _message(message: dict[str, Any]) -> dict[str, Any]:
    """One message in Anthropic's form."""
    text = message.get("content") or ""
    if message["role"] == "tool":
        result = {"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": text}
        return {"role": "user", "content": [result]}
    blocks = text if isinstance(text, list) else [{"type": "text", "text": text}]
    calls = [
        {"type": "tool_use", "id": c["id"], "name": c["function"]["name"], "input": json.loads(c["function"]["arguments"] or "{}")}
        for c in message.get("tool_calls") or ()
    ]  # fmt: skip
    return {"role": message["role"], "content": [*blocks, *calls]}
