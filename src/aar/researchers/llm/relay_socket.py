"""HTTP on the relay's unix socket, as the provider speaks it: an answer whole or as a stream, with pings while it takes long."""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol

from aar.errors import AarError, InputError
from aar.researchers.base import clean
from aar.researchers.llm.unanswered import Unanswered
from aar.testing.messages import events

AT_ONCE = 8
BODY_CAP = 32 << 20  # as the provider's own
PATIENCE_S = 5.0  # then headers are sent, and pings, while the model thinks


class Theirs(Unanswered):
    """The provider found the request wrong: its author is told."""

    def __init__(self, why: str, status: int, body: Any) -> None:
        super().__init__(why[:500], billed=False, final=True)
        self.status, self.body = status, body


class Asks(Protocol):
    def submit(self, raw: bytes, betas: str | None) -> Future[dict[str, Any]]:
        """The message, sooner or later. InputError for a request that is not passed on."""


def server(path: str, relay: Asks) -> socketserver.BaseServer:
    return _Server(path, _handler(relay))


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = AT_ONCE

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke: the program inside is gone, or talks nonsense."""


def _handler(relay: Asks) -> type[BaseHTTPRequestHandler]:
    slots = threading.BoundedSemaphore(2 * AT_ONCE)  # requests whose bodies are held in memory

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 600

        def do_POST(self) -> None:
            if not slots.acquire(timeout=60):
                return self._error(529, "overloaded_error", "too many requests at once")
            try:
                with contextlib.suppress(OSError):  # the program inside is gone
                    self._relay()
            finally:
                slots.release()

        def _relay(self) -> None:
            length = self.headers.get("content-length", "")
            if self.path.partition("?")[0] != "/v1/messages" or not length.isdigit() or int(length) > BODY_CAP:
                self.close_connection = True
                return self._error(
                    404, "not_found_error", f"{clean(self.path, 60)}: only /v1/messages, up to {BODY_CAP >> 20} MB"
                )
            raw = self.rfile.read(int(length))
            streamed = b'"stream":true' in raw.replace(b" ", b"")
            try:
                asked = relay.submit(raw, self.headers.get("anthropic-beta"))
                if streamed and not _done(asked, PATIENCE_S):
                    return self._stream(asked)
                message = asked.result()
            except AarError as error:
                cause = error.__cause__
                if isinstance(cause, Theirs):
                    return self._json(cause.status, cause.body)
                if isinstance(error, InputError):
                    return self._error(400, "invalid_request_error", str(error))
                return self._error(403, "permission_error", error.message)
            if not streamed:
                return self._json(200, message)
            return self._stream(asked)

        def _stream(self, asked: Future[dict[str, Any]]) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            while not _done(asked, PATIENCE_S):
                self._event({"type": "ping"})
            try:
                for event in events(asked.result()):
                    self._event(event)
            except AarError as error:
                self._event({"type": "error", "error": {"type": "permission_error", "message": error.message}})
            self.wfile.write(b"0\r\n\r\n")

        def _event(self, event: dict[str, Any]) -> None:
            data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

        def _error(self, status: int, kind: str, text: str) -> None:
            self._json(status, {"type": "error", "error": {"type": kind, "message": text}})

        def _json(self, status: int, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def address_string(self) -> str:
            return "inside"

        def log_message(self, format: str, *args: Any) -> None:
            """What was asked is in the transcript."""

    return Handler


def _done(asked: Future[Any], seconds: float) -> bool:
    with contextlib.suppress(TimeoutError, AarError):
        asked.result(seconds)
    return asked.done()
