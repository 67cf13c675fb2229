"""The score client: a lab's API over a unix socket or HTTP, for researchers, tools and the command line.

Standard library only, so that it starts fast inside a sandbox. A call that fails on the way is repeated, POSTs
under one Idempotency-Key, so that nothing is charged or posted twice. Errors come back as the classes of
`aar.errors` that the lab raised. Knows no scoring rule.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import socket
import time
import urllib.parse
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aar.errors import (
    AarError,
    BudgetSpent,
    Conflict,
    InputError,
    LabError,
    NotFound,
    ProviderDown,
    Refused,
)
from aar.task.pack import pack

PREFIX = "/api/v1"
BY_STATUS: dict[int, type[AarError]] = {
    401: Refused,
    403: Refused,
    404: NotFound,
    409: Conflict,
    429: BudgetSpent,
    500: LabError,
    502: ProviderDown,
    503: ProviderDown,
    504: ProviderDown,
}


class LabClient:
    """`LabClient("http://127.0.0.1:8000", token)` or `LabClient("/path/to/api.sock", token)`."""

    RETRIES = 4

    def __init__(self, where: str | Path, token: str, timeout_s: float = 60.0, retries: int = RETRIES) -> None:
        self.where, self.token = str(where).removeprefix("unix:"), token
        self.timeout_s, self.retries = timeout_s, retries

    @classmethod
    def from_environment(cls) -> LabClient:
        """Where a sandbox is told its lab is: `$AAR_SERVER` (socket path or URL) and `$AAR_TOKEN`."""
        where, token = os.environ.get("AAR_SERVER"), os.environ.get("AAR_TOKEN")
        if not where or not token:
            raise InputError("no lab is named here", hint="set AAR_SERVER (a socket path or URL) and AAR_TOKEN")
        return cls(where, token)

    # -- what a researcher does

    def evaluate(
        self, problem: str, predictions: Mapping[str, float], study: str | None = None, key: str | None = None
    ) -> dict[str, Any]:
        """{status, pgr, accuracy, duplicate, budget_left} for one vector: every test id exactly once."""
        body = {"problem": problem, "predictions": {id_: float(p) for id_, p in predictions.items()}}
        return self.call("POST", "evaluations", body | ({"study": study} if study else {}), key=key)

    def submit(
        self, problem: str, name: str, method: str | Path | bytes, claimed: float | None = None, key: str | None = None
    ) -> dict[str, Any]:
        """Send a method folder (or its tar) to be rerun: {id, snapshot, state}."""
        tar = method if isinstance(method, bytes) else pack(method)
        return self.call("POST", "submissions", tar, {"problem": problem, "name": name, "claimed": claimed}, key)

    def submission(self, id_: int) -> dict[str, Any]:
        return self.call("GET", f"submissions/{id_}")

    def wait(self, id_: int, timeout_s: float = 600.0, poll_s: float = 1.0) -> dict[str, Any]:
        """The submission once it is neither queued nor running. ProviderDown when that takes too long."""
        end = time.monotonic() + timeout_s
        while (row := self.submission(id_))["state"] in ("queued", "running"):
            if time.monotonic() > end:
                raise ProviderDown(f"submission {id_} is still {row['state']}", hint="is a worker running?")
            time.sleep(poll_s)
        return row

    def leaderboard(self, problem: str) -> dict[str, Any]:
        return self.call("GET", "leaderboard", query={"problem": problem})

    def budget(self, problem: str | None = None) -> dict[str, Any]:
        return self.call("GET", "budget", query={"problem": problem})

    def findings(self, **query: Any) -> list[dict[str, Any]]:
        """`search`, `kind`, `researcher`, `sort`, `after`, `limit`, `offset`."""
        return self.call("GET", "findings", query=query)

    def post_finding(self, kind: str, title: str, body: str, key: str | None = None, **refs: Any) -> dict[str, Any]:
        """`runs`, `snapshots`, `findings`: what it rests on."""
        return self.call("POST", "findings", {"kind": kind, "title": title, "body": body, **refs}, key=key)

    def comment(self, finding: int, body: str, key: str | None = None) -> dict[str, Any]:
        return self.call("POST", f"findings/{finding}/comments", {"body": body}, key=key)

    def vote(self, finding: int, value: int) -> dict[str, Any]:
        return self.call("POST", f"findings/{finding}/votes", {"value": value})

    def snapshots(self, **query: Any) -> list[dict[str, Any]]:
        return self.call("GET", "snapshots", query=query)

    def upload_snapshot(
        self, folder: str | Path | bytes, note: str = "", parents: list[str] | None = None, key: str | None = None
    ) -> dict[str, Any]:
        tar = folder if isinstance(folder, bytes) else pack(folder)
        return self.call("POST", "snapshots", tar, {"note": note, "parent": parents or []}, key)

    def download_snapshot(self, id_: str) -> bytes:
        """Its files as tar.gz bytes."""
        return self.call("GET", f"snapshots/{id_}/archive")

    def events(self, after: int = 0, follow: bool = True) -> Iterator[dict[str, Any]]:
        """{id, kind, ...} of each event, oldest first; with `follow` it waits for more and reconnects."""
        while True:
            path = _path("events", {"after": after, "follow": str(follow).lower()})
            connection = self._connect()
            try:
                connection.request("GET", path, headers=self._headers())
                answer = connection.getresponse()
                if answer.status != 200:
                    raise _error(answer.status, answer.read())
                for event in _parse_events(answer):
                    after = event["id"]
                    yield event
            except (OSError, http.client.HTTPException):
                time.sleep(1.0)
            finally:
                connection.close()
            if not follow:
                return

    # -- any route

    def call(
        self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None, key: str | None = None
    ) -> Any:
        """The answer's JSON (or bytes). `body`: bytes are sent as a tar, anything else as JSON."""
        headers = self._headers()
        if method == "POST":
            headers["Idempotency-Key"] = key or uuid.uuid4().hex
        if isinstance(body, bytes):
            headers["Content-Type"] = "application/octet-stream"
        elif body is not None:
            headers["Content-Type"], body = "application/json", json.dumps(body).encode()
        for attempt in range(self.retries + 1):
            try:
                return self._once(method, _path(path, query or {}), body, headers)
            except ProviderDown:
                if attempt == self.retries:
                    raise
                time.sleep(0.2 * 2**attempt * (0.5 + random.random()))
        raise AssertionError("unreachable")

    def _once(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Any:
        connection = self._connect()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException) as e:
            raise ProviderDown(
                f"no answer from the lab at {self.where} ({type(e).__name__}: {e})", hint="is `aar serve` running?"
            ) from e
        finally:
            connection.close()
        if answer.status >= 400:
            raise _error(answer.status, data)
        if answer.headers.get_content_type() == "application/json":
            return json.loads(data) if data else None
        return data

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _connect(self) -> http.client.HTTPConnection:
        if "://" not in self.where:
            return _UnixConnection(self.where, self.timeout_s)
        url = urllib.parse.urlsplit(self.where)
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        return kind(url.hostname or "127.0.0.1", url.port, timeout=self.timeout_s)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("lab", timeout=timeout_s)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def _path(path: str, query: Mapping[str, Any]) -> str:
    given = {k: v for k, v in query.items() if v is not None}
    text = urllib.parse.urlencode(given, doseq=True)
    return f"{PREFIX}/{urllib.parse.quote(path.lstrip('/'))}" + (f"?{text}" if text else "")


def _error(status: int, data: bytes) -> AarError:
    try:
        said = json.loads(data)["error"]
        message, code, hint = str(said["message"]), str(said["code"]), str(said["hint"])
    except (ValueError, KeyError, TypeError):
        message, code, hint = f"the lab answered {status}: {data[:200]!r}", "bad_answer", ""
    kind = BY_STATUS.get(status, LabError if status >= 500 else InputError)
    return kind(message, code=code, hint=hint)


def _parse_events(lines: Iterator[bytes] | http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    fields: dict[str, str] = {}
    for raw in lines:
        line = raw.decode().rstrip("\r\n")
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif not line and "data" in fields:
            yield {"id": int(fields["id"]), "kind": fields["event"], "body": json.loads(fields["data"])}
            fields = {}
