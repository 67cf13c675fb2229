"""A Messages API on loopback, for trying everything offline: Anthropic's protocol, streamed or not, with tools and errors.

What answers is a function of the request, by default the scripted researcher. Tokens are a quarter of the bytes. `served`
lists every answer that was sent whole: what a provider would bill. `faults` says for the n-th request how it fails:
a status ("429", "529", "500"), "cut" (the connection breaks in the middle of the answer, which is billed) or "slow".
"""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aar.testing import scripted

Blocks = list[dict[str, Any]]
SLOW_S = 2.0


@dataclass(frozen=True)
class Billed:
    """One answer. `whole`: the client got all of it."""

    tokens_in: int
    tokens_out: int
    whole: bool


class FakeMessages:
    """`with FakeMessages() as fake:` serves it; `fake.environment` points the SDKs at it."""

    def __init__(
        self,
        brain: Callable[[dict[str, Any]], Blocks] = scripted.answer,
        faults: Callable[[int], str | None] = lambda n: None,
    ) -> None:
        self.brain, self.faults = brain, faults
        self.key = f"fake-{secrets.token_hex(12)}"
        self.billed: list[Billed] = []
        self.requests = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        return {"ANTHROPIC_BASE_URL": self.url, "ANTHROPIC_API_KEY": self.key}

    def __enter__(self) -> FakeMessages:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def next_fault(self) -> str | None:
        with self._lock:
            self.requests += 1
            return self.faults(self.requests)

    def bill(self, tokens_in: int, tokens_out: int, whole: bool) -> None:
        with self._lock:
            self.billed.append(Billed(tokens_in, tokens_out, whole))


def _handler(fake: FakeMessages) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length", 0)))
            given = self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix("Bearer ")
            if given != fake.key:
                return self._error(401, "authentication_error", "invalid x-api-key")
            request = json.loads(raw)
            if self.path.split("?")[0] == "/v1/messages/count_tokens":
                return self._json(200, {"input_tokens": len(raw) // 4})
            if self.path.split("?")[0] != "/v1/messages":
                return self._error(404, "not_found_error", self.path)
            fault = fake.next_fault()
            if fault and fault.isdigit():
                return self._error(
                    int(fault),
                    {"429": "rate_limit_error", "529": "overloaded_error"}.get(fault, "api_error"),
                    "as planned",
                )
            if fault == "slow":
                time.sleep(SLOW_S)
            blocks = fake.brain(request)
            tokens = len(raw) // 4, min(request["max_tokens"], len(json.dumps(blocks)) // 4 + 1)
            message = {
                "id": f"msg_{secrets.token_hex(8)}", "type": "message", "role": "assistant", "model": request["model"], "content": blocks,
                "stop_reason": "tool_use" if any(b["type"] == "tool_use" for b in blocks) else "end_turn", "stop_sequence": None,
                "usage": {"input_tokens": tokens[0], "output_tokens": tokens[1]},
            }  # fmt: skip
            whole = False
            try:
                if fault == "cut":
                    self.close_connection = True
                    self.send_response(200)
                    self.send_header("content-type", "application/json")
                    self.send_header("content-length", "100000")
                    self.end_headers()
                    self.wfile.write(b'{"id": "msg')
                elif request.get("stream"):
                    self._stream(message)
                    whole = True
                else:
                    self._json(200, message)
                    whole = True
            except OSError:  # the client is gone, the work was done
                whole = False
            return fake.bill(*tokens, whole)

        def _stream(self, message: dict[str, Any]) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for event in events(message):
                data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")

        def _error(self, status: int, kind: str, text: str) -> None:
            self._json(status, {"type": "error", "error": {"type": kind, "message": text}})

        def _json(self, status: int, body: Any) -> None:
            data = json.dumps(body).encode()
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is logged."""

    return Handler


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
