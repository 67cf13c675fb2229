"""Telling somebody who does not look: a webhook or a mail when a study stops, reaches a cap, loses its provider or its disk.

`<lab>/notify.toml`, written by the owner; without it nobody is told:

    [[webhook]]
    url = "https://hooks.example.org/aar"      # gets a JSON object: id, study, what, text, t
    [[mail]]
    host = "smtp.example.org"                  # port = 587, tls = true; user = "...", password_env = "AAR_SMTP_PASSWORD"
    sender = "lab@example.org"
    to = ["owner@example.org"]

A notice is on disk (`notices.jsonl`) before it is sent and until every target took it, so it arrives at least once, also after
a kill: its `id` tells repeats. Sending is a thread of its own; a target that is away is tried again and holds up nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import smtplib
import threading
import time
import tomllib
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from aar.errors import InputError
from aar.settings import LabFolder
from aar.studies.events import Observe, StudyEvent
from aar.studies.spec import StudyFolder

SEND_S, LAST_S = 10.0, 5.0
WAITS_S = (1.0, 5.0, 30.0, 120.0, 600.0)
AGAIN_S = 3600.0  # the same notice of the same researcher is not repeated within
CODES = {  # what an error's code is told as
    "cap_reached": "cap_reached", "model_refused": "model_refused", "disk_full": "disk_full", "journal_full": "disk_full",
    "database_readonly": "disk_full", "provider_away": "provider_away", "provider_down": "provider_away",
}  # fmt: skip


@dataclass(frozen=True)
class Notice:
    """`what`: stopped, complete, failed, cap_reached, provider_away, model_refused (key, credit, name) or disk_full."""

    id: str
    study: str
    what: str
    text: str
    t: float


Send = Callable[[Notice], None]


def targets(lab: LabFolder) -> dict[str, Send]:
    """Name -> how to send there. InputError for a file that says something else."""
    path = lab.root / "notify.toml"
    try:
        told = tomllib.loads(path.read_text()) if path.exists() else {}
        hooks = {f"webhook {i}": partial(_post, str(one["url"])) for i, one in enumerate(told.get("webhook", ()))}
        mails = {
            f"mail {i}": partial(_mail, one) for i, one in enumerate(told.get("mail", ())) if one["host"] and one["to"]
        }
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: {error!r}", code="bad_notify", hint="see the head of aar/studies/notices.py"
        ) from error
    return {**hooks, **mails}


def _post(url: str, notice: Notice) -> None:
    httpx.post(url, json=asdict(notice), timeout=SEND_S).raise_for_status()


def _mail(how: Mapping[str, Any], notice: Notice) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"] = (
        f"AAR Lab, study {notice.study}: {notice.what}",
        how.get("sender", "aar-lab@localhost"),
    )
    mail["To"], mail["Message-ID"] = ", ".join(how["to"]), f"<{notice.id}@aar-lab>"
    mail.set_content(f"{notice.text}\n\n{time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime(notice.t))}\n")
    with smtplib.SMTP(how["host"], how.get("port", 587), timeout=SEND_S) as server:
        if how.get("tls", True):
            server.starttls()
        if how.get("user"):
            server.login(how["user"], os.environ[how["password_env"]])
        server.send_message(mail)


def what_of(event: StudyEvent) -> str | None:
    """What an event of a study is told as, if at all."""
    if event.kind == "study" and event.data.get("state") in ("stopped", "complete"):
        return str(event.data["state"])
    if told := CODES.get(str(event.data.get("code"))):
        return told
    return "failed" if event.kind == "state" and event.data.get("state") == "failed" else None


class Notices:
    """Of one study, from `with` to its end. `hear` is an `Observe`; what was left from the last session is sent as well."""

    def __init__(
        self, folder: StudyFolder, to: Mapping[str, Send] | None = None, waits_s: tuple[float, ...] = WAITS_S
    ) -> None:
        self.study, self.path, self.waits_s = folder.name, folder.root / "notices.jsonl", waits_s
        self.to = targets(folder.lab) if to is None else to
        self._open = {name: dict[str, Notice]() for name in self.to}
        self._told: dict[tuple[str, str], float] = {}
        self._turn, self._ended = threading.Condition(), False
        self._threads = [threading.Thread(target=self._serve, args=(name,), daemon=True) for name in self.to]
        for notice, done in _left(self.path):
            for name in self.to.keys() - done:
                self._open[name][notice.id] = notice

    def __enter__(self) -> Notices:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """What cannot be sent within LAST_S stays for the next session."""
        with self._turn:
            self._ended = True
            self._turn.notify_all()
        end = time.monotonic() + LAST_S
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def hearing(self, observe: Observe | None) -> Observe:
        """`observe`, with us listening too."""

        def both(event: StudyEvent) -> None:
            if what := what_of(event):
                self.tell(
                    what, f"{event.researcher}: {event.text}" if event.researcher else event.text, event.researcher
                )
            if observe:
                observe(event)

        return both

    def tell(self, what: str, text: str, who: str = "") -> None:
        """Returns at once. The same within AGAIN_S is told once."""
        now = time.time()
        with self._turn:
            if not self.to or now - self._told.get((what, who), 0.0) < AGAIN_S:
                return
            self._told[what, who] = now
            notice = Notice(uuid.uuid4().hex, self.study, what, text[:2000], round(now, 3))
            self._keep({"notice": asdict(notice)})
            for waiting in self._open.values():
                waiting[notice.id] = notice
            self._turn.notify_all()

    def _keep(self, line: dict[str, Any]) -> None:
        with contextlib.suppress(OSError), self.path.open("ab", buffering=0) as file:  # on a full disk memory must do
            file.write(json.dumps(line).encode() + b"\n")
            os.fsync(file.fileno())

    def _serve(self, name: str) -> None:
        """One target: oldest first, again after a while where it is away; at the end once more."""
        waiting, tries = self._open[name], 0
        while True:
            with self._turn:
                self._turn.wait_for(lambda: waiting or self._ended)
                last, notices = self._ended, list(waiting.values())
            try:
                for notice in notices:
                    self.to[name](notice)
                    with self._turn:
                        self._keep({"delivered": notice.id, "to": name})
                        del waiting[notice.id]
                tries = 0
            except (httpx.HTTPError, httpx.InvalidURL, OSError, smtplib.SMTPException, KeyError):
                with self._turn:
                    self._turn.wait_for(lambda: self._ended, self.waits_s[min(tries, len(self.waits_s) - 1)])
                tries += 1
            if last:
                return


def _left(path: Path) -> Iterator[tuple[Notice, set[str]]]:
    """Every notice with the targets that took it."""
    notices, took = dict[str, Notice](), dict[str, set[str]]()
    for raw in path.read_bytes().splitlines() if path.exists() else ():
        with contextlib.suppress(ValueError, TypeError, KeyError):
            line = json.loads(raw)
            if "notice" in line:
                notices[line["notice"]["id"]] = Notice(**line["notice"])
            else:
                took.setdefault(line["delivered"], set()).add(line["to"])
    return iter([(notice, took.get(id_, set())) for id_, notice in notices.items()])
