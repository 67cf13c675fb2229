"""Notices against a real HTTP server and a real SMTP server on loopback: what is told, once, in spite of what breaks."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from aar.errors import InputError, ProviderDown
from aar.settings import LabFolder
from aar.studies import notices
from aar.studies.events import StudyEvent
from aar.studies.notices import Notice, Notices, targets, what_of
from aar.studies.runner import run_study
from aar.studies.spec import StudyFolder, StudySpec, team


class Hook(ThreadingHTTPServer):
    """`heard`: bodies that were taken. `answers`: the next statuses; 200 where there are none."""

    daemon_threads = True

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.answers: list[int] = []
        super().__init__(("127.0.0.1", 0), _Taken)
        self.url = f"http://127.0.0.1:{self.server_port}/hook"


class _Taken(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.server.answers.pop(0) if self.server.answers else 200
        if status == 200:
            self.server.heard.append(body)
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    found = StudyFolder(LabFolder(tmp_path / "lab"), "a")
    found.create(StudySpec("a", "toy", team("a", [("search", 1)], ["none"])))
    return found


def configure(lab: LabFolder, *urls: str) -> None:
    lab.root.mkdir(exist_ok=True)
    (lab.root / "notify.toml").write_text("".join(f'[[webhook]]\nurl = "{url}"\n' for url in urls))


def until(true: Callable[[], Any]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_told_once_and_again_after_a_failure(folder: StudyFolder, hook: Hook) -> None:
    """A target that fails gets it later, one that took it does not get it twice; the same within the hour is not repeated."""
    configure(folder.lab, hook.url)
    hook.answers = [500, 503]
    with Notices(folder, waits_s=(0.01,)) as told:
        told.tell("cap_reached", "no room", "a.x")
        told.tell("cap_reached", "no room", "a.x")
        told.tell("cap_reached", "no room", "a.y")
        until(lambda: len(hook.heard) == 2)
    assert [n["what"] for n in hook.heard] == ["cap_reached"] * 2
    assert len({n["id"] for n in hook.heard}) == 2
    with Notices(folder):
        pass
    assert len(hook.heard) == 2, "delivered notices are not sent again"


def test_left_from_a_session_that_was_killed(folder: StudyFolder, hook: Hook) -> None:
    """A notice that nobody took is sent by the next session, and each target is its own affair."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    configure(folder.lab, hook.url, away)
    killed = Notices(folder, waits_s=(0.01,))  # its threads never start: as if killed before it could send
    killed.tell("disk_full", "no space")
    with Notices(folder, waits_s=(0.01,)):
        until(lambda: hook.heard)
    configure(folder.lab, hook.url, hook.url)
    with Notices(folder):
        until(lambda: len(hook.heard) == 2)
    assert len({n["id"] for n in hook.heard}) == 1
    assert {n["what"] for n in hook.heard} == {"disk_full"}


def test_a_dead_target_holds_up_nothing(folder: StudyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Telling returns at once while the target hangs, and so does the end, after LAST_S; the notice stays on disk."""
    monkeypatch.setattr(notices, "LAST_S", 0.05)
    hung, go = threading.Event(), threading.Event()

    def hang(notice: Notice) -> None:
        hung.set()
        go.wait(60)

    with Notices(folder, {"slow": hang}) as told:
        told.tell("stopped", "x")
        assert hung.wait(60)
        told.tell("complete", "y")
    assert [n.what for n, took in notices._left(told.path) if not took] == ["stopped", "complete"]
    go.set()


def test_on_a_full_disk_memory_does(folder: StudyFolder, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the notice cannot be written down it is sent all the same."""
    configure(folder.lab, hook.url)
    with Notices(folder) as told:
        monkeypatch.setattr(told, "path", Path("/dev/full"))
        told.tell("disk_full", "no space")
        until(lambda: hook.heard)


@pytest.mark.parametrize(
    ("event", "what"),
    [
        (StudyEvent(0, "", "study", "x", {"state": "stopped"}), "stopped"),
        (StudyEvent(0, "", "study", "x", {"state": "open"}), None),
        (StudyEvent(0, "r", "state", "x", {"state": "finished", "code": "cap_reached"}), "cap_reached"),
        (StudyEvent(0, "r", "state", "x", {"state": "failed", "code": "model_refused"}), "model_refused"),
        (StudyEvent(0, "r", "state", "x", {"state": "failed", "trace": ""}), "failed"),
        (StudyEvent(0, "r", "log", "waits", {"code": "provider_away"}), "provider_away"),
        (StudyEvent(0, "r", "trial", "x", {"error": None}), None),
    ],
)
def test_what_is_told(event: StudyEvent, what: str | None) -> None:
    """Ends, caps, outages, refused keys and failures; not everyday acts."""
    assert what_of(event) == what


class _Smtp(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a client needs."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline().strip():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                mail = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.mails.append(mail.decode())  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")


def test_mail(folder: StudyFolder) -> None:
    """The mail names study, reason and id."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Smtp) as server:
        server.mails = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        (folder.lab.root / "notify.toml").write_text(
            f'[[mail]]\nhost = "127.0.0.1"\nport = {server.server_address[1]}\ntls = false\nto = ["owner@example.org"]\n'
        )
        with Notices(folder) as told:
            told.tell("provider_away", "waits 60 s")
            until(lambda: server.mails)  # type: ignore[attr-defined]
        (mail,) = server.mails  # type: ignore[attr-defined]
        server.shutdown()
    assert "Subject: AAR Lab, study a: provider_away" in mail
    assert "waits 60 s" in mail
    assert "@aar-lab>" in mail


@pytest.mark.parametrize("text", ["[[webhook]]\n", "not toml", '[[mail]]\nhost = "x"\n'])
def test_a_wrong_file_is_told(folder: StudyFolder, text: str) -> None:
    """Before the study starts, not when it would be needed."""
    (folder.lab.root / "notify.toml").write_text(text)
    with pytest.raises(InputError, match=r"notify\.toml"):
        targets(folder.lab)


def test_a_study_that_cannot_start_says_so(folder: StudyFolder, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stops `aar study run` reaches the owner."""

    def broken(*_: object) -> None:
        raise ProviderDown("no room is left", code="disk_full")

    configure(folder.lab, hook.url)
    monkeypatch.setattr("aar.studies.runner._check", broken)
    with pytest.raises(ProviderDown):
        run_study(folder.lab, "a")
    assert [(n["what"], n["text"]) for n in hook.heard] == [("disk_full", "no room is left")]
