"""The quick reader of JSON takes what the careful one takes and nothing else, and no repeated key gets past either."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar.lab.limits import JSON_CAP, BadRequest, BodyLimits, _careful_json, _plain_json, strict_json

TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=6) | st.sampled_from(
    [":", "a:b", '"', "\\"]
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4))


@given(st.dictionaries(TEXT, VALUES, max_size=5), st.booleans())
def test_what_is_sent_is_read(value: dict[str, Any], ascii_only: bool) -> None:
    """Any object, however its texts are written."""
    assert strict_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=30) | st.text(alphabet='{}[]":,019.eE-\\ua ntrls', max_size=30).map(str.encode))
def test_the_quick_reader_is_no_laxer(body: bytes) -> None:
    """What it takes the careful one takes, with the same value."""
    if (quick := _plain_json(body)) is not None:
        assert _careful_json(body) == quick


@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=5), st.data(), st.booleans())
def test_a_repeated_key_is_refused(value: dict[str, Any], data: st.DataObject, ascii_only: bool) -> None:
    """Anywhere in the object, however the key is written the second time, whatever colons the texts hold."""
    pairs = [(json.dumps(k), json.dumps(v, ensure_ascii=ascii_only)) for k, v in value.items()]
    key = data.draw(st.sampled_from(sorted(value)))
    again = data.draw(st.sampled_from([json.dumps(key), '"' + "".join(f"\\u{u:04x}" for u in utf16(key)) + '"']))
    pairs.insert(data.draw(st.integers(0, len(pairs))), (again, "1"))
    body = "{" + ",".join(f"{k}:{v}" for k, v in pairs) + "}"
    with pytest.raises(BadRequest) as caught:
        strict_json(body.encode())
    assert caught.value.code == "duplicate_ids"


def utf16(text: str) -> list[int]:
    raw = text.encode("utf-16-be")
    return [int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)]


@pytest.mark.parametrize(("stated", "parts"), [(True, 0), (False, 3)])
def test_a_body_over_its_cap_is_read_no_further(stated: bool, parts: int) -> None:
    """Not at all where its length is stated, else up to the part that passes the cap; the app never hears of it."""
    read, sent = [], []

    async def receive() -> dict[str, Any]:
        read.append(1)
        return {"type": "http.request", "body": b" " * (JSON_CAP // 2), "more_body": len(read) < 10}

    async def send(message: Any) -> None:
        sent.append(message)

    async def app(*_: Any) -> None:
        raise AssertionError("reached")

    headers = [(b"content-length", str(JSON_CAP + 1).encode())] if stated else []
    scope = {"type": "http", "method": "POST", "path": "/x", "query_string": b"", "headers": headers}
    asyncio.run(BodyLimits(app)(scope, receive, send))
    assert (len(read), sent[0]["status"]) == (parts, 413)
