"""The client: repeats what failed on the way under one key, and gives the lab's errors back as themselves."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from aar.errors import BudgetSpent, Conflict, InputError, LabError, NotFound, ProviderDown, Refused
from aar.task.client import LabClient


class Scripted(http.server.BaseHTTPRequestHandler):
    """A lab that answers from a list of (status, body); status 0 hangs up."""

    script: ClassVar[list[tuple[int, Any]]] = []
    seen: ClassVar[list[dict[str, str]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append({**self.headers, "path": self.path, "body": body.decode("latin-1")})
        status, answer = self.script.pop(0)
        if status == 0:
            self.connection.close()
            return
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[LabClient]:
    Scripted.script.clear()
    Scripted.seen.clear()
    monkeypatch.setattr("aar.task.client.time.sleep", lambda s: None)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield LabClient(f"http://127.0.0.1:{server.server_port}", "aar_token")
        server.shutdown()


def test_a_call_that_fails_on_the_way_is_repeated_under_its_key(client: LabClient) -> None:
    """A hung up connection and a 503 are tried again with the same Idempotency-Key and the same body."""
    down = {"error": {"code": "database_busy", "message": "m", "hint": "h"}}
    Scripted.script[:] = [(0, None), (503, down), (200, {"status": "improved"})]
    assert client.evaluate("toy", {"a": 1}) == {"status": "improved"}
    assert len(Scripted.seen) == 3
    assert len({call["Idempotency-Key"] for call in Scripted.seen}) == 1
    assert {call["body"] for call in Scripted.seen} == {'{"problem": "toy", "predictions": {"a": 1.0}}'}


def test_two_calls_have_two_keys(client: LabClient) -> None:
    """Each call is its own, unless the caller names a key."""
    Scripted.script[:] = [(200, {})] * 3
    for key in (None, None, "mine"):
        client.evaluate("toy", {}, key=key)
    keys = [call["Idempotency-Key"] for call in Scripted.seen]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"


def test_it_gives_up_in_the_end(client: LabClient) -> None:
    """After its retries the error says where it looked."""
    Scripted.script[:] = [(0, None)] * 5
    with pytest.raises(ProviderDown, match=client.where):
        client.budget()
    assert len(Scripted.seen) == 5
    with pytest.raises(ProviderDown, match="aar serve"):
        LabClient("/nowhere/api.sock", "t", retries=0).budget()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, InputError), (401, Refused), (403, Refused), (404, NotFound), (409, Conflict), (413, InputError),
     (422, InputError), (429, BudgetSpent), (500, LabError)],
)  # fmt: skip
def test_errors_come_back_as_themselves(client: LabClient, status: int, kind: type[Exception]) -> None:
    """Class by status; code, message and hint as the lab wrote them; none of these is tried again."""
    Scripted.script[:] = [(status, {"error": {"code": "c", "message": "m", "hint": "h"}})]
    with pytest.raises(kind) as caught:
        client.budget()
    assert (caught.value.message, caught.value.code, caught.value.hint) == ("m", "c", "h")  # type: ignore[attr-defined]


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b'{"error": "x"}', b'{"error": {}}'])
def test_answers_that_are_not_a_labs(client: LabClient, answer: bytes) -> None:
    """A proxy's page is an error that shows what came, not a traceback."""
    Scripted.script[:] = [(404, answer)]
    with pytest.raises(NotFound, match="answered 404"):
        client.budget()


def test_queries_and_tars(client: LabClient) -> None:
    """None is left out, lists repeat, bytes go as they are."""
    Scripted.script[:] = [(200, {}), (200, {})]
    client.findings(search="a b&c", kind=None)
    client.upload_snapshot(b"tar", note="é", parents=["x", "y"])
    assert Scripted.seen[0]["path"] == "/api/v1/findings?search=a+b%26c"
    assert Scripted.seen[1]["path"] == "/api/v1/snapshots?note=%C3%A9&parent=x&parent=y"
    assert Scripted.seen[1]["body"] == "tar"


def test_from_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox is told its lab by two variables; without them the error names both."""
    monkeypatch.delenv("AAR_SERVER", raising=False)
    with pytest.raises(InputError, match="no lab is named here"):
        LabClient.from_environment()
    monkeypatch.setenv("AAR_SERVER", "unix:/run/api.sock")
    monkeypatch.setenv("AAR_TOKEN", "t")
    assert LabClient.from_environment().where == "/run/api.sock"
