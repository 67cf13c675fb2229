"""What is refused before a route is known: also that is JSON with code, message and hint."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from aar.lab import protocol, tokens
from aar.lab.protocol import HEAD_CAP
from aar.lab.server import MAX_CONNECTIONS, serving
from aar.lab.services import Lab

HALF = b"POST /api/v1/findings HTTP/1.1\r\nHost: lab\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"


def refusal(connection: socket.socket) -> tuple[int, str]:
    """(status, code) of the answer, after checking its form; the connection is closed after it."""
    data = b""
    while chunk := connection.recv(65536):
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    error = json.loads(body)["error"]
    assert b"content-type: application/json" in head.lower()
    assert set(error) == {"code", "message", "hint"}
    assert all(error.values())
    return int(head.split()[1]), error["code"]


def connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(20)
    connection.connect(str(path))
    return connection


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x00 this is TLS\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: lab\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: lab\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: lab\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * (2 * HEAD_CAP),
        b"GET /" + b"a" * (2 * HEAD_CAP),
    ],
    ids=["tls", "version", "negative length", "two lengths", "chunk size", "endless header", "endless address"],
)
def test_what_is_no_request(lab: Lab, sent: bytes) -> None:
    """Broken, ambiguous or endless heads: 400, and the connection is closed."""
    with serving(lab), connect(lab.folder.sockets / "owner.sock") as connection:
        connection.sendall(sent)
        assert refusal(connection) == (400, "bad_request")


def test_a_head_that_never_ends(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that says nothing, or half a line, is not kept."""
    monkeypatch.setattr(protocol, "HEAD_S", 0.2)
    with serving(lab):
        for sent in (b"", b"GET /api/v1/he"):
            with connect(lab.folder.sockets / "owner.sock") as connection:
                connection.sendall(sent)
                assert refusal(connection) == (400, "bad_request")


def test_a_crowded_socket(lab: Lab) -> None:
    """One request too many on a researcher's socket: 503 with a hint, and the others go on."""
    tokens.create(lab.store, "ann")
    with serving(lab) as server:
        path = server.add_researcher("ann")
        others = [connect(path) for _ in range(MAX_CONNECTIONS - 1)]
        for other in others:
            other.sendall(HALF)
        with connect(path) as connection:
            connection.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: lab\r\n\r\n")
            assert refusal(connection) == (503, "crowded")
        for other in others:
            other.close()
