"""What a request may be before anything reads it: its size, and for JSON its form. Pure ASGI, knows no route.

The body is counted while it arrives and cut off at its cap; JSON must be UTF-8 without duplicate keys, NaN, lone
surrogates or NUL characters (nor does the address hold one), since each of these means different things to different
readers (a repeated row id would silently win, a NaN would compare false with everything).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from typing import Any

import msgspec
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aar.errors import InputError

JSON_CAP = 2_000_000
TAR_CAP = 6_000_000
TAR_ROUTES = ("/submissions", "/snapshots")
PLAIN = frozenset((str, int, float, bool, type(None)))
BODY_S = 60.0
SUSPECT = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")


class TooLarge(InputError):
    status, default_code = 413, "too_large"


class BadRequest(InputError):
    status, default_code = 400, "bad_request"


class BodyLimits:
    """ASGI middleware. Leaves the body's SHA-256 in `request.state.body_hash`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        try:
            if b"%00" in scope.get("raw_path", b"") + scope["query_string"]:
                raise BadRequest("the address holds a NUL", code="bad_text", hint="leave it out")
            body = await asyncio.wait_for(_read(scope, receive), BODY_S)
            if body is None:
                return None  # the client went away
            state = scope.setdefault("state", {})
            if body and b"json" in _header(scope, b"content-type"):
                state["json"] = strict_json(body)
        except InputError as e:
            return await JSONResponse(e.as_json(), e.status, {"Connection": "close"})(scope, receive, send)
        except TimeoutError:
            slow = BadRequest("the body took too long to arrive", code="timeout", hint="send it again")
            return await JSONResponse(slow.as_json(), 408, {"Connection": "close"})(scope, receive, send)
        state["body_hash"] = hashlib.sha256(body + b"?" + scope["query_string"]).hexdigest()
        return await self.app(scope, _replay(body, receive), send)


def strict_json(body: bytes) -> Any:
    """Parse, or BadRequest with the rule that is broken."""
    quick = _plain_json(body)
    return _careful_json(body) if quick is None else quick


def _plain_json(body: bytes) -> dict[str, Any] | None:
    """The value of a JSON object that needs no second look: a vector of thousands of rows is one. Else None.

    Each pair brings a colon, so where there are no more colons than keys, no key was there twice. Without a backslash
    nothing is escaped. Whatever this reader refuses, the careful one looks at, and says what is wrong.
    """
    if b"\\" in body:
        return None
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and _keys(value) == body.count(b":") else None


def _keys(value: Any) -> int:
    """How many keys the objects in a value have together."""
    total, stack = 0, [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            total += len(item)
            item = item.values()
        if not PLAIN.issuperset(map(type, item)):  # most often thousands of numbers
            stack += [part for part in item if isinstance(part, (dict, list))]
    return total


def _careful_json(body: bytes) -> Any:
    try:
        text = body.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except BadRequest:
        raise
    except (ValueError, RecursionError) as e:
        said = str(e).partition(";")[0][:200]
        raise BadRequest(f"the body is not JSON: {said}", code="bad_json", hint="send one JSON object in UTF-8") from e
    if SUSPECT.search(text) or "\0" in text:
        _check_strings(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [k for k, _ in pairs]
        twice = next(k for k in keys if keys.count(k) > 1)
        raise BadRequest(
            f"the key {twice[:80]!r} appears more than once in one object",
            code="duplicate_ids",
            hint="every id exactly once",
        )
    return found


def _no_constant(name: str) -> Any:
    raise BadRequest(f"{name} is not a JSON number", code="not_finite", hint="send finite numbers")


def _check_strings(value: Any) -> None:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str) and ("\0" in item or any("\ud800" <= c <= "\udfff" for c in item)):
            raise BadRequest("a text holds a NUL or half a surrogate pair", code="bad_text", hint="leave it out")
        if isinstance(item, dict):
            stack += [*item, *item.values()]
        elif isinstance(item, list):
            stack += item


async def _read(scope: Scope, receive: Receive) -> bytes | None:
    cap = TAR_CAP if scope["path"].rstrip("/").endswith(TAR_ROUTES) else JSON_CAP
    if (stated := _header(scope, b"content-length")).isdigit() and int(stated[:20]) > cap:
        raise _too_large(cap)
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > cap:
            raise _too_large(cap)
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


def _too_large(cap: int) -> TooLarge:
    return TooLarge(f"the body is larger than {cap:,} bytes", hint="send less; nothing was stored")


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"").lower()


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
