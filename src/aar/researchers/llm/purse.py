"""The purse: what the models of a lab have cost, and the caps that are never passed. One append-only file a lab.

    {"reserve": ref, "study", "researcher", "usd", "day", "pid", "born"}    on disk before a request is sent: its worst case
    {"settle": ref, "usd", "tokens_in", "tokens_out", "cached", "lost"}     what it really cost; once
    {"release": ref}                                                        it never reached the provider

A reservation whose holder died stays at its worst case: nobody knows whether that request was billed. So at any moment
what is written here bounds what was spent from above, whatever was killed. Knows no model and no price.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import psutil

from aar.errors import LabError
from aar.researchers.base import Llm, Stopped

CENTS = 1e-9  # sums of floats


class Waiting(Exception):
    """The cap has room once requests that are under way have settled below their worst case."""


@dataclass
class Entry:
    """One request. `usd`: its worst case until it is settled."""

    ref: str
    study: str
    researcher: str
    usd: float
    day: str
    holder: tuple[int, float]
    settled: dict[str, Any] | None = None

    @property
    def open(self) -> bool:
        return self.settled is None and _alive(*self.holder)


class Purse:
    """`Purse(lab / "state" / "spending.jsonl")`. Any number of processes and threads may share the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[str, Entry] = {}
        self._read_to = 0
        self._lock = threading.Lock()
        self._me = (os.getpid(), psutil.Process().create_time())

    def reserve(self, prefix: str, study: str, researcher: str, usd: float, caps: Llm) -> str:
        """A new ref that starts with `prefix`, with room for `usd` under every cap. `Stopped` where there is none."""
        with self._held() as file:
            day = datetime.now(UTC).date().isoformat()
            for name, cap, mine in (
                ("this researcher", caps.usd, [e for e in self.entries.values() if (e.study, e.researcher) == (study, researcher)]),
                ("this study", caps.usd_study, [e for e in self.entries.values() if e.study == study]),
                ("this day", caps.usd_day, [e for e in self.entries.values() if e.day == day]),
            ):  # fmt: skip
                if sum(e.usd for e in mine) + usd > cap + CENTS:
                    if sum(e.usd for e in mine if not e.open) + usd <= cap + CENTS:
                        raise Waiting(name)
                    raise Stopped(
                        f"the cap of ${cap:g} of {name} has no room for ${usd:.4f} more",
                        code="cap_reached",
                        hint="a larger cap lets it go on: aar study resume",
                    )
            ref = f"{prefix}/{sum(r.startswith(prefix + '/') for r in self.entries)}"
            pid, born = self._me
            self._write(
                file,
                {
                    "reserve": ref,
                    "study": study,
                    "researcher": researcher,
                    "usd": usd,
                    "day": day,
                    "pid": pid,
                    "born": born,
                },
            )
        return ref

    def settle(self, ref: str, usd: float, **counts: Any) -> None:
        """What it cost; a second time changes nothing."""
        self._close(ref, {"settle": ref, "usd": usd, "t": round(datetime.now(UTC).timestamp(), 3), **counts})

    def release(self, ref: str) -> None:
        """The provider said that it did nothing."""
        self._close(ref, {"release": ref})

    def lose(self, ref: str) -> None:
        """Nobody knows what became of it: it is charged at its worst case."""
        with self._held():
            usd = self.entries[ref].usd
        self.settle(ref, usd, lost=True)

    def spent(self, study: str, researcher: str | None = None) -> float:
        """Dollars, with open requests at their worst case."""
        with self._held():
            return sum(e.usd for e in self.entries.values() if e.study == study and researcher in (None, e.researcher))

    def of(self, study: str) -> list[Entry]:
        with self._held():
            return [e for e in self.entries.values() if e.study == study]

    def settled(self, study: str) -> list[Entry]:
        return [e for e in self.of(study) if e.settled]

    # -- the file

    def _close(self, ref: str, line: dict[str, Any]) -> None:
        with self._held() as file:
            if ref in self.entries and self.entries[ref].settled is None:
                self._write(file, line)

    @contextlib.contextmanager
    def _held(self) -> Iterator[IO[bytes]]:
        """The file locked and what others wrote taken in."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock, self.path.open("a+b", buffering=0) as file:
            os.fchmod(file.fileno(), 0o600)
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(self._read_to)
            data = file.read()
            whole = data.rfind(b"\n") + 1
            if whole < len(data):  # a writer was killed in the middle of a line
                os.ftruncate(file.fileno(), self._read_to + whole)
            for raw in data[:whole].splitlines():
                self._take(json.loads(raw))
            self._read_to += whole
            yield file

    def _write(self, file: IO[bytes], line: dict[str, Any]) -> None:
        """On disk when it returns, or not at all."""
        data = json.dumps(line).encode() + b"\n"
        try:
            if file.write(data) != len(data):
                raise OSError("short write")
            os.fsync(file.fileno())
        except OSError as error:
            os.ftruncate(file.fileno(), self._read_to)
            raise LabError(
                f"{self.path} cannot be written: {error}",
                code="disk_full",
                hint="free disk space, then resume the study",
            ) from error
        self._read_to += len(data)
        self._take(line)

    def _take(self, line: dict[str, Any]) -> None:
        if ref := line.get("reserve"):
            self.entries[ref] = Entry(
                ref, line["study"], line["researcher"], line["usd"], line["day"], (line["pid"], line["born"])
            )
        elif ref := line.get("settle") or line.get("release"):
            entry = self.entries[ref]
            entry.usd, entry.settled = line.get("usd", 0.0), line


def _alive(pid: int, born: float) -> bool:
    try:
        return abs(psutil.Process(pid).create_time() - born) < 1
    except psutil.NoSuchProcess:
        return False
