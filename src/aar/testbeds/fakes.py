"""A model hub on loopback: the part of the Hugging Face hub's protocol that downloads use, serving a folder.

    root/models/ORG/NAME/...   root/datasets/ORG/NAME/...

A repository's commit is the one it was asked for, or 40 zeros for a branch. `fail`: paths answered with 500 once.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

COMMIT = re.compile(r"[0-9a-f]{40}")
API = re.compile(r"/api/(?P<kind>models|datasets)/(?P<repo>[^/]+/[^/]+)/(?P<what>revision|tree)/(?P<revision>[^/?]+)")
FILE = re.compile(r"/(?P<kind>datasets/)?(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")


@dataclass
class Hub:
    """`asked`: (method, path) of every request."""

    root: Path
    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    fail: set[str] = field(default_factory=set)

    @contextmanager
    def serving(self) -> Iterator[Hub]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                hub.answer(self)

            def do_GET(self) -> None:
                hub.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = Thread(target=server.serve_forever)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append((request.command, request.path))
        if api := API.match(request.path):
            folder = self.root / api["kind"] / api["repo"]
            known = self._about(folder, api) if folder.is_dir() else None
            headers = {} if known is not None else {"X-Error-Code": "RepoNotFound"}
            return self._send(request, 404 if known is None else 200, json.dumps(known).encode(), headers)
        if found := FILE.match(request.path):
            path = self.root / (found["kind"] or "models") / found["repo"] / found["path"]
            if found["path"] in self.fail:
                self.fail.discard(found["path"])
                return self._send(request, 500, b"", {})
            if path.is_file():
                content = path.read_bytes()
                headers = {"X-Repo-Commit": _commit(found["revision"]), "ETag": f'"{_sha(content)}"'}
                return self._send(request, 200, content, headers)
        return self._send(request, 404, b"", {"X-Error-Code": "EntryNotFound"})

    def _about(self, folder: Path, api: re.Match[str]) -> object:
        files = sorted(p for p in folder.rglob("*") if p.is_file())
        if api["what"] == "tree":
            return [
                {
                    "type": "file",
                    "path": str(p.relative_to(folder)),
                    "size": p.stat().st_size,
                    "oid": _sha(p.read_bytes()),
                }
                for p in files
            ]
        siblings = [{"rfilename": str(p.relative_to(folder))} for p in files]
        return {"id": api["repo"], "sha": _commit(api["revision"]), "siblings": siblings, "tags": [], "private": False}

    def _send(self, request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(body)


def _commit(revision: str) -> str:
    return revision if COMMIT.fullmatch(revision) else "0" * 40


def _sha(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()
