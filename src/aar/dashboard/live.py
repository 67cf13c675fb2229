"""Watch a study: a picture that renews itself on a terminal, plain lines anywhere else. Reads events and the lab's API only.

    with LiveView(spec, lambda: owner_client(lab), past=read_events(folder.events)) as view:
        run_study(lab, spec.name, observe=view.hear)

or, from another terminal, `watch(lab, name)`.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.live import Live

from aar.dashboard.render import Frame, line, summary
from aar.dashboard.state import Public, View, ask
from aar.errors import AarError
from aar.lab.client import LabClient, owner_client
from aar.settings import LabFolder
from aar.studies.events import StudyEvent
from aar.studies.spec import StudyFolder, StudySpec

FRAME_S, ASK_S, SUMMARY_S = 0.5, 2.0, 20.0


class LiveView:
    """Draws from a thread of its own while the block lasts; `hear` may be called from any thread and never waits.

    `client` is asked anew each time, so that a server that was replaced is found; no call is retried here. `past`: what
    happened in earlier sessions, taken in without a word.
    """

    def __init__(
        self,
        spec: StudySpec,
        client: Callable[[], LabClient],
        console: Console | None = None,
        past: Iterable[StudyEvent] = (),
    ) -> None:
        self.view, self.client = View(spec), client
        for event in past:
            self.view.hear(event)
        self.console = console or Console(stderr=True)
        self._heard: queue.SimpleQueue[StudyEvent] = queue.SimpleQueue()
        self._end = threading.Event()
        self._asked, self._told = 0.0, 0.0
        self._thread = threading.Thread(target=self._draw, name="live-view", daemon=True)

    def hear(self, event: StudyEvent) -> None:
        self._heard.put(event)

    def __enter__(self) -> LiveView:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _draw(self) -> None:
        if not self.console.is_terminal:
            self._plain()
            return
        with Live(console=self.console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
            while True:
                last = self._end.wait(FRAME_S)
                for _ in self._take():
                    pass
                self._ask(last)
                live.update(Frame(self.view, time.time()), refresh=True)
                if last:
                    return

    def _plain(self) -> None:
        while True:
            last = self._end.wait(FRAME_S)
            for event in self._take():
                if text := line(self.view, event):
                    self._print(text)
            self._ask(last)
            if last or time.monotonic() - self._told > SUMMARY_S:
                self._told = time.monotonic()
                self._print(summary(self.view, time.time()))
            if last:
                return

    def _print(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)

    def _take(self) -> Iterator[StudyEvent]:
        while True:
            try:
                event = self._heard.get_nowait()
            except queue.Empty:
                return
            self.view.hear(event)
            yield event

    def _ask(self, at_once: bool) -> None:
        if not at_once and time.monotonic() - self._asked < ASK_S:
            return
        try:
            client = self.client()
            client.retries, client.timeout_s = 0, ASK_S
            answer = ask(client, self.view.spec)
        except AarError as error:
            answer = Public(fault=error.message)
        # what was known stays on show while the lab is away
        old = self.view.public
        self.view.public = Public(old.rows, old.human, old.findings, answer.fault) if answer.fault else answer
        self._asked = time.monotonic()


def watch(
    lab: LabFolder, study: str, console: Console | None = None, stop: threading.Event | None = None, follow: bool = True
) -> View:
    """Show a study that another process runs, until it is over or `stop` is set; without `follow` as it stands."""
    folder, stop = StudyFolder(lab, study), stop or threading.Event()
    with LiveView(folder.load(), lambda: owner_client(lab), console) as live:
        for event in tail(folder.events, stop, follow):
            live.hear(event)
    return live.view


def tail(path: Path, stop: threading.Event, follow: bool = True) -> Iterator[StudyEvent]:
    """Every whole line of the file, and with `follow` those that come, until the study's last word."""
    at, over = 0, False
    while True:
        lines: list[bytes] = []
        if path.exists():
            with path.open("rb") as file:
                file.seek(at)
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            at, lines = at + len(whole), whole.splitlines()
        for raw in lines:
            try:
                event = StudyEvent(**json.loads(raw))
            except (ValueError, TypeError):  # cut short by a kill
                continue
            if not event.researcher and event.kind == "study":
                over = event.data.get("state") in ("stopped", "complete", "finalized")
            yield event
        if not follow or over or stop.wait(FRAME_S):
            return
