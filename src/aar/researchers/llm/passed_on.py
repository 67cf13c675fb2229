"""What of a request to the Messages API may be passed on, when whoever wrote it may have meant harm.

It reaches the model and nothing behind it: tools that the provider runs itself (search, fetch, code) and sources that it would
open are refused, as are other models. Fields that change a token's price, and all that are not known here, are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from aar.errors import InputError
from aar.researchers.base import clean

FIELDS = (
    "model", "messages", "system", "tools", "tool_choice", "max_tokens", "temperature", "top_p", "top_k", "stop_sequences", "thinking",
    "context_management", "output_config", "metadata",
)  # fmt: skip


def checked(raw: bytes, models: Mapping[str, str], most_out: int) -> dict[str, Any]:
    """What may be sent on of a request. InputError says what may not."""
    try:
        given = json.loads(raw)
        request = {name: given[name] for name in FIELDS if name in given}
        if not all(isinstance(message, dict) for message in request["messages"]):
            raise TypeError("messages are objects")
        request["max_tokens"] = max(1, min(int(request["max_tokens"]), most_out))
        parts, named = (
            list(objects([request["messages"], request.get("system"), request.get("tools")])),
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


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(part)
