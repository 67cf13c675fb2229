"""What the lab tells the study that runs in it: about once a second the events since the last look.

Keeps the findings of the study synced to plain files, knows which reruns wait or run anywhere in the lab, and whether
somebody stopped the study. Decides nothing.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from aar.errors import AarError, LabError
from aar.lab import room
from aar.lab.client import LabClient
from aar.researchers.findings import sync_findings
from aar.settings import LabFolder
from aar.studies.charges import Charges
from aar.studies.events import EventLog

EVERY_S = 1.0
OPEN = ("queued", "running")


class Pulse:
    """A thread, from `with` to its end. `owner` gives the owner's client, `member` one of the study's own."""

    def __init__(
        self,
        study: str,
        owner: Callable[[], LabClient],
        member: LabClient,
        findings: Path,
        log: EventLog,
        lab: LabFolder | None = None,
    ) -> None:
        self.study, self.owner, self.member, self.findings, self.log = study, owner, member, findings, log
        self.charges = Charges(study, lab) if lab else None
        self.stopped_by_owner = threading.Event()
        self.fault: AarError | None = None
        self._open: dict[int, tuple[str, datetime]] = {}  # submission -> state since, of every study
        self._ours: set[int] = set()
        self._last = 0
        self._stale = True
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        if self.charges:
            with contextlib.suppress(AarError, OSError):  # the next session tells it
                self.charges.post(self.owner(), last=True)

    def reruns(self) -> int:
        """How many submissions the lab has queued or running."""
        return len(self._open)

    def unsettled(self) -> list[int]:
        """Submissions of this study without a verdict."""
        return sorted(self._ours & set(self._open))

    def catch_up(self) -> None:
        """Take in what the lab has told until now."""
        for event in self.owner().events(self._last, follow=False):
            self._take(event["id"], event["kind"], event["body"])
        if self._stale:
            sync_findings(self.member, self.findings)
            self._stale = False
        if self.charges:
            self.charges.post(self.owner())

    def _run(self) -> None:
        while not self._end.wait(EVERY_S):
            try:
                self.catch_up()
            except AarError as error:  # the server is away: the next look takes it all in
                if error.code in ("disk_full", "database_readonly"):
                    self.fault = error
            except OSError as error:  # the findings' folder
                self.fault = (
                    room.full(self.findings) if room.behind(error) else LabError(f"findings cannot be written: {error}")
                )

    def _take(self, id_: int, kind: str, body: dict[str, Any]) -> None:
        self._last, ours = id_, body["study"] == self.study
        if kind == "submission":
            self._submission(body, datetime.fromisoformat(body["created"]), ours)
        if ours and kind == "study":
            (self.stopped_by_owner.set if body["state"] != "open" else self.stopped_by_owner.clear)()
        self._stale |= ours and kind in ("submission", "finding.new", "comment.new", "review")

    def _submission(self, body: dict[str, Any], at: datetime, ours: bool) -> None:
        id_, state = body["id"], body["state"]
        was, since = self._open.get(id_, ("", at))
        if ours:
            self._ours.add(id_)
            if was == "running" and state != "running":
                how = {"verified": "done", "queued": "lost"}.get(state, state)
                self.log.tell(
                    body["researcher"],
                    "job",
                    body["method"],
                    step=-self._last,
                    owner=body["researcher"],
                    name=body["method"],
                    job_kind="rerun",
                    state=how,
                    submission=id_,
                    seconds=round((at - since).total_seconds(), 2),
                )
        if state in OPEN:
            self._open[id_] = (state, at)
        else:
            self._open.pop(id_, None)
