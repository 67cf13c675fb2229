"""What happened in a study, one JSON line each, for the live view, the report and `aar study status`.

Append-only over all sessions. An act that a resumed researcher replays is told again but written once: (researcher,
step, kind) names it. Losing a line to a kill loses no act: those lie in the journals and in the lab.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from aar.errors import ProviderDown
from aar.researchers import base


@dataclass(frozen=True)
class StudyEvent:
    """`t`: Unix seconds. `researcher`: "" for the study's own. `kind`: trial, evaluation, submission, verdict, finding,
    snapshot, log; job (data: owner, name, kind, state, seconds); state (of a researcher); study (of the study)."""

    t: float
    researcher: str
    kind: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)


Observe = Callable[[StudyEvent], None]


def read_events(path: Path) -> Iterator[StudyEvent]:
    """All whole lines, oldest first."""
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                try:
                    yield StudyEvent(**json.loads(line))
                except (ValueError, TypeError):  # cut short by a kill
                    continue


class EventLog:
    """Threads share one; `observe` hears what is new."""

    def __init__(self, path: Path, observe: Observe | None = None) -> None:
        self.path, self.observe = path, observe or (lambda event: None)
        self._lock = threading.Lock()
        self._seen = {key for event in read_events(path) if (key := _key(event))}
        self._file = path.open("ab", buffering=0)
        if self._file.tell() and not path.read_bytes().endswith(b"\n"):
            self._file.write(b"\n")

    def tell(self, researcher: str, kind: str, text: str, /, **data: Any) -> None:
        event = StudyEvent(round(time.time(), 3), researcher, kind, text, data)
        key = _key(event)
        with self._lock:
            if key in self._seen or self._file.closed:
                return
            try:
                self._file.write(json.dumps(asdict(event)).encode() + b"\n")
            except OSError as error:
                raise ProviderDown(
                    f"{self.path} cannot be written: {os.strerror(error.errno or 0)}",
                    code="disk_full",
                    hint="free disk space, then resume the study",
                ) from error
            if key:
                self._seen.add(key)
        self.observe(event)

    def of_researcher(self, name: str) -> Callable[[base.Event], None]:
        """For a bench: its events, numbered by the step of its journal."""
        return lambda event: self.tell(name, event.kind, event.text, step=event.step, **event.data)

    def close(self) -> None:
        with self._lock:
            self._file.close()


def _key(event: StudyEvent) -> tuple[str, int, str, str] | None:
    step = event.data.get("step")
    return None if step is None else (event.researcher, step, event.kind, event.text if event.kind == "log" else "")
