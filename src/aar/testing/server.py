"""A model's provider on loopback, for trying everything offline: what is common to the protocols.

What answers is a function of the request, in the form of Anthropic's Messages API, by default the scripted researcher. Tokens are
a quarter of the bytes. `billed` lists every answer that was worked out: what a provider would bill. `faults` says for the n-th
request how it fails: a status ("429", "529", "500"), "cut" (the connection breaks in the middle of the answer, which is billed)
or "slow".
"""

from __future__ import annotations

import abc
import contextlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from aar.testing import scripted

Blocks = list[dict[str, Any]]
SLOW_S = 2.0


@dataclass(frozen=True)
class Billed:
    """One answer. `whole`: it was not cut."""

    tokens_in: int
    tokens_out: int
    whole: bool


class ScriptedServer(abc.ABC):
    """`with FakeMessages() as fake:` serves it; `fake.environment` points the SDKs at it."""

    path: str
    environment: dict[str, str]

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

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @abc.abstractmethod
    def read(self, request: dict[str, Any]) -> dict[str, Any]:
        """The request as the brain takes it."""

    @abc.abstractmethod
    def whole(self, request: dict[str, Any], blocks: Blocks, tokens: tuple[int, int]) -> dict[str, Any]:
        """The answer as the protocol has it. `tokens`: in and out."""

    @abc.abstractmethod
    def parts(self, request: dict[str, Any], whole: dict[str, Any]) -> Iterator[str]:
        """The same as server-sent events."""

    @abc.abstractmethod
    def error(self, status: int, text: str) -> dict[str, Any]: ...

    def next_fault(self) -> str | None:
        with self._lock:
            self.requests += 1
            return self.faults(self.requests)

    def bill(self, tokens: tuple[int, int], whole: bool) -> None:
        with self._lock:
            self.billed.append(Billed(*tokens, whole))


def _handler(fake: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length", 0)))
            given = self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix("Bearer ")
            path = self.path.partition("?")[0]
            if given != fake.key:
                self._error(401, "invalid x-api-key")
            elif path == f"{fake.path}/count_tokens":
                self._json(200, {"input_tokens": len(raw) // 4})
            elif path != fake.path:
                self._error(404, self.path)
            elif (fault := fake.next_fault()) and fault.isdigit():
                self._error(int(fault), "as planned")
            else:
                self._answer(raw, fault)

        def _answer(self, raw: bytes, fault: str | None) -> None:
            if fault == "slow":
                time.sleep(SLOW_S)
            request = json.loads(raw)
            blocks = fake.brain(fake.read(request))
            tokens = len(raw) // 4, min(request.get("max_tokens", 1 << 20), len(json.dumps(blocks)) // 4 + 1)
            whole = fake.whole(request, blocks, tokens)
            fake.bill(tokens, whole=fault != "cut")  # for the work, whether or not anybody hears the answer
            with contextlib.suppress(OSError):
                if request.get("stream"):
                    self._stream(list(fake.parts(request, whole)), fault == "cut")
                else:
                    self._json(200, whole, fault == "cut")

        def _stream(self, parts: list[str], cut: bool) -> None:
            self._head(200, "text/event-stream", ("transfer-encoding", "chunked"))
            for part in parts[: len(parts) // 2] if cut else parts:
                data = part.encode()
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.close_connection = cut
            self.wfile.write(b"" if cut else b"0\r\n\r\n")

        def _json(self, status: int, body: Any, cut: bool = False) -> None:
            data = json.dumps(body).encode()
            self._head(status, "application/json", ("content-length", str(len(data))))
            self.close_connection = cut
            self.wfile.write(data[: len(data) // 2] if cut else data)

        def _error(self, status: int, text: str) -> None:
            with contextlib.suppress(OSError):
                self._json(status, fake.error(status, text))

        def _head(self, status: int, kind: str, length: tuple[str, str]) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header(*length)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is logged."""

    return Handler
