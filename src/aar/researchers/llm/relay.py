"""The one way out of a sandbox whose program asks its model itself: a unix socket, onto the Messages API.

The host adds the key, reserves dollars, asks (by Anthropic's SDK), writes the answer down, settles it, and only then passes it
on: what the sandbox heard is on disk and paid. Whoever is inside may send anything, so a request reaches the model and nothing
behind it: tools that the provider runs itself (search, fetch, code) and sources that it would open are refused, as are other
models; fields that change a token's price, and all that are not known here, are left out.
"""

from __future__ import annotations

import contextlib
import json
import os
import socketserver
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import anthropic

from aar.errors import AarError, InputError, ProviderDown
from aar.researchers.base import clean
from aar.researchers.llm.asking import Asking
from aar.researchers.llm.transcript import Transcript
from aar.researchers.llm.unanswered import Unanswered, unanswered
from aar.testing.messages import events

FIELDS = (
    "model", "messages", "system", "tools", "tool_choice", "max_tokens", "temperature", "top_p", "top_k", "stop_sequences", "thinking",
    "context_management", "output_config", "metadata",
)  # fmt: skip
THEIRS = (400, 404, 413, 422)  # the request itself is wrong: its author is told
BODY_CAP = 32 << 20  # as the provider's own
AT_ONCE = 8
PATIENCE_S = 5.0  # then headers are sent, and pings, while the model thinks
IMAGE = 6000  # tokens; an image's are not bounded by its bytes
OVERHEAD = 2048  # tokens that the provider adds of its own
KEPT = 20  # billed requests that later ones may go on from


class Relay:
    """`with Relay(...) as relay:` serves `relay.folder`/model.sock. `models`: name on the wire -> priced name."""

    def __init__(
        self,
        folder: Path,
        asking: Asking,
        client: anthropic.Anthropic,
        models: Mapping[str, str],
        transcript: Transcript,
    ) -> None:
        self.folder, self.asking, self.client, self.models, self.transcript = folder, asking, client, models, transcript
        self.most_out = asking.bench.assignment.llm.max_tokens
        self.fault: AarError | None = None  # a cap, the end of time, a key that does not work: nothing more is asked
        self.ended = threading.Event()
        self._billed: list[tuple[tuple[str, ...], int]] = []  # digests of a request, and its input tokens
        self._pool = ThreadPoolExecutor(AT_ONCE, "model")
        self._server = _Server(str(folder / "model.sock"), _handler(self))

    def __enter__(self) -> Relay:
        threading.Thread(target=self._server.serve_forever, args=(0.5,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._pool.shutdown(wait=False, cancel_futures=True)  # what is under way is settled when it comes

    def submit(self, raw: bytes, betas: str | None) -> Future[dict[str, Any]]:
        """The message, sooner or later. InputError for a request that is not passed on."""
        return self._pool.submit(self.ask, checked(raw, self.models, self.most_out), betas)

    def ask(self, request: dict[str, Any], betas: str | None = None) -> dict[str, Any]:
        """A whole answer, as the API gives it."""
        if self.fault:
            raise self.fault
        digests = self.transcript.keep(request)
        bench, model = self.asking.bench, self.models[request["model"]]
        try:
            answer = self.asking.ask(
                f"{bench.study}/{bench.name}/model", model, self._most(digests, request), request["max_tokens"],
                lambda ref: self._send(request, betas),
            )  # fmt: skip
        except AarError as error:
            if not isinstance(error.__cause__, Theirs):
                self.fault = self.fault or error
                self.ended.set()
            raise
        self.transcript.write(digests, answer)
        self.asking.settle(answer)
        self._billed = [*self._billed[-KEPT:], (digests, _input(answer["message"]))]
        bench.log(f"thinks: {clean(_text(answer['message']), 300)}")
        return dict(answer["message"])

    def _most(self, digests: tuple[str, ...], request: dict[str, Any]) -> int:
        """Input tokens at most: what was billed for the part that was sent before, a token a byte for the rest."""
        known, billed = max(
            ((d, n) for d, n in self._billed if d == digests[: len(d)]), default=((), 0), key=lambda k: len(k[0])
        )
        parts = [request.get("system"), request.get("tools"), *request["messages"]][len(known) :]
        images = sum(block.get("type") == "image" for block in _objects(parts))
        return billed + len(json.dumps(parts).encode()) + IMAGE * images + OVERHEAD

    def _send(self, request: dict[str, Any], betas: str | None) -> dict[str, Any]:
        known = {"model": request["model"], "messages": request["messages"], "max_tokens": request["max_tokens"]}
        headers = {"anthropic-beta": betas} if betas else {}
        try:
            with self.client.messages.stream(**known, extra_headers=headers, extra_body=request) as stream:
                message = stream.get_final_message().to_dict(mode="json")
        except anthropic.APIStatusError as error:
            if error.status_code in THEIRS:
                raise Theirs(error) from error
            raise unanswered(error) from error
        except Exception as error:  # whatever the way or the SDK raises
            raise unanswered(error) from error
        message = {k: v for k, v in message.items() if k in MESSAGE}
        return {"message": message, "tokens": _tokens(message["usage"])}


MESSAGE = ("id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage", "context_management")


class Theirs(Unanswered):
    """The provider found the request wrong."""

    def __init__(self, error: anthropic.APIStatusError) -> None:
        super().__init__(str(error)[:500], billed=False, final=True)
        self.status, self.body = error.status_code, error.body


def checked(raw: bytes, models: Mapping[str, str], most_out: int) -> dict[str, Any]:
    """What may be sent on of a request. InputError says what may not."""
    try:
        given = json.loads(raw)
        request = {name: given[name] for name in FIELDS if name in given}
        if not all(isinstance(message, dict) for message in request["messages"]):
            raise TypeError("messages are objects")
        request["max_tokens"] = max(1, min(int(request["max_tokens"]), most_out))
        parts, named = (
            list(_objects([request["messages"], request.get("system"), request.get("tools")])),
            request["model"],
        )
        tools = list(request.get("tools") or [])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"this is no request of the Messages API: {error!r}", code="bad_request") from error
    if named not in models:
        raise InputError(f"the model {clean(named, 60)} is not this researcher's", hint=f"known: {', '.join(models)}")
    if any(tool.get("type", "custom") != "custom" for tool in tools):
        raise InputError("tools that the provider runs reach the network", hint="use your own shell")
    for part in parts:
        source = part.get("source")
        if part.get("type") in ("image", "document") and not _inline(part["type"], source):
            raise InputError("images come as base64 and documents as text", hint="convert the file first")
        if isinstance(part.get("cache_control"), dict):
            part["cache_control"] = {"type": "ephemeral"}  # a longer one has another price
    return request


def _inline(kind: str, source: Any) -> bool:
    return isinstance(source, dict) and source.get("type") == ("base64" if kind == "image" else "text")


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(part)


def _tokens(usage: Mapping[str, Any]) -> dict[str, int]:
    """As `prices.Tokens`."""
    read = {
        "fresh": "input_tokens",
        "cached": "cache_read_input_tokens",
        "written": "cache_creation_input_tokens",
        "out": "output_tokens",
    }
    return {name: int(usage.get(key) or 0) for name, key in read.items()}


def _input(message: Mapping[str, Any]) -> int:
    used = _tokens(message["usage"])
    return sum(used.values()) - used["out"]


def _text(message: Mapping[str, Any]) -> str:
    return " ".join(b["text"] for b in message["content"] if b["type"] == "text")


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = AT_ONCE


def _handler(relay: Relay) -> type[BaseHTTPRequestHandler]:
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


def provider_client(keys: Mapping[str, str]) -> anthropic.Anthropic:
    """With the key of the caller's environment, or of `keys`. Each try has its own reservation, so it never retries."""
    env = {**os.environ, **keys}
    key, token = env.get("ANTHROPIC_API_KEY"), env.get("ANTHROPIC_AUTH_TOKEN")
    if not key and not token:
        raise ProviderDown(
            "no key for the model's provider", code="model_refused", hint="set ANTHROPIC_API_KEY where the study is run"
        )
    return anthropic.Anthropic(
        api_key=key, auth_token=None if key else token, base_url=env.get("ANTHROPIC_BASE_URL"), max_retries=0
    )
