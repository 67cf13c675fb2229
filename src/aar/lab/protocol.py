"""HTTP on a connection, as uvicorn speaks it, with the lab's own refusals: JSON with code, message and hint.

Also bounds what comes before any route is known: a request's head may be so long and take so much time, no more.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.flow_control import service_unavailable
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from aar.errors import AarError, InputError, ProviderDown

HEAD_CAP = 64_000
HEAD_S = 60.0
CROWDED = ProviderDown("too many requests are open on this socket", code="crowded", hint="wait for answers, then go on")


class LabProtocol(HttpToolsProtocol):
    """`uvicorn.Config(http=LabProtocol)`. Crowded sockets answer 503, broken and endless heads 400."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head: int | None = 0  # bytes of the head that is arriving; None once it is complete
        self._slow = self.loop.call_later(HEAD_S, self._refuse, "the request's head took too long to arrive")

    def connection_lost(self, exc: Exception | None) -> None:
        self._slow.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._head = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head = None
        self._slow.cancel()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head is not None:
            self._head += len(data)
            if self._head > HEAD_CAP and not self.transport.is_closing():
                self._refuse(f"the request's head is longer than {HEAD_CAP:,} bytes")

    def send_400_response(self, msg: str) -> None:
        self._refuse("this is no HTTP request that can be read")

    def _refuse(self, message: str) -> None:
        said = _as_body(InputError(message, code="bad_request", hint="send one HTTP/1.1 request at a time"))
        head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(said)
        self.transport.write(STATUS_LINE[400] + head + said)
        self.transport.close()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        super()._start_asgi_task(cycle, _crowded if app is service_unavailable else app)


async def _crowded(scope: Any, receive: Any, send: Any) -> None:
    said = _as_body(CROWDED)
    lines = {b"content-type": b"application/json", b"retry-after": b"2", b"connection": b"close"}
    headers = [*lines.items(), (b"content-length", str(len(said)).encode())]
    await send({"type": "http.response.start", "status": CROWDED.status, "headers": headers})
    await send({"type": "http.response.body", "body": said})


def _as_body(error: AarError) -> bytes:
    return json.dumps(error.as_json()).encode()
