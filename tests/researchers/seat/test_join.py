"""A person at a real terminal: a pty on both sides, our sandbox between them, the counter's tools inside."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aar.errors import ProviderDown
from aar.researchers.base import Stopped, researchers
from aar.sandboxes import available

METHOD = "from aar.methods.vanilla import run"
JOIN = (
    "import sys; from pathlib import Path; from aar.researchers.seat.shell import join; print(join(Path(sys.argv[1])))"
)


class Terminal:
    """What a person sees and types. `seen`: everything so far."""

    def __init__(self, home: Path) -> None:
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(sys.executable, [sys.executable, "-c", JOIN, str(home)])

    def until(self, pattern: str, seconds: float = 240) -> str:
        """What came up to a match of `pattern`."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.seen)):
            assert time.monotonic() < end, (pattern, self.seen)
            if select.select([self.fd], [], [], 1.0)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    raise AssertionError(f"it ended without {pattern!r}: {self.seen}") from None
        said, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        return said

    def type(self, line: str) -> str:
        """A line, and what is shown up to the next prompt."""
        os.write(self.fd, line.encode() + b"; echo done-$((6*7))\n")
        return self.until(r"done-42")


@pytest.fixture
def seat(world: Any) -> Iterator[Any]:
    """The study's side: the arm at work in a thread, `ended` says how it ended."""
    try:
        available()
    except ProviderDown as down:
        pytest.skip(down.message)
    world.ended = []
    who = world.assignment("ada", "human", submissions=1)

    def work() -> None:
        bench = world.bench(who)
        try:
            researchers.get("human")(who).work(bench)
            world.ended.append("finished")
        except Stopped as stop:
            world.ended.append(stop.message)
        finally:
            bench.close()

    world.sit = lambda: threading.Thread(target=work, daemon=True).start()
    world.sit()
    yield world
    world.stop.set()


def sit_down(world: Any) -> Terminal:
    end = time.monotonic() + 60
    while not (world.folder / "ada" / "seat.json").exists():
        assert time.monotonic() < end
        time.sleep(0.1)
    terminal = Terminal(world.folder / "ada")
    terminal.until(r"try_method")  # the task and the list of tools
    return terminal


def test_a_person_works_leaves_and_comes_back(seat: Any) -> None:
    """Shell and tools by hand; the workspace and the count of what is left outlast the terminal; what was shown is kept."""
    terminal = sit_down(seat)
    terminal.type(f"stty -echo; mkdir mine; echo '{METHOD}' > mine/method.py")
    assert '"trial": "mine-' in terminal.type("lab try_method mine")
    assert "No such file" in terminal.type("cat /etc/shadow; ls /root")
    assert '"submission": 1' in terminal.type("lab submit mine --claimed 0.4")
    assert "error: all 1 submissions" in terminal.type("lab submit mine")
    assert "error" in terminal.type("lab verdict 77")
    os.write(terminal.fd, b"exit\n")
    terminal.until("the shell ended")
    assert seat.ended == []

    again = sit_down(seat)
    again.type("stty -echo")
    assert METHOD in again.type("cat mine/method.py")
    budget = json.loads(re.search(r"\{.*\}", again.type("lab budget"))[0])  # type: ignore[index]
    assert (budget["submissions"], budget["trials"]) == (0, 5)
    again.type("lab finish 'one method'")
    again.until("seat was taken away|shell ended")
    assert seat.ended == ["finished"]
    assert len(seat.lab.queue) == 1
    shown = (seat.folder / "ada" / "terminal.cast").read_text().splitlines()
    assert any(METHOD in json.loads(line)[2] for line in shown if line.startswith("["))


def test_the_clock_takes_the_seat_away(seat: Any) -> None:
    """The study stops: the shell ends by itself, and a session later the same calls are not done again."""
    terminal = sit_down(seat)
    terminal.type("lab share_finding insight 'A title' 'A body'")
    seat.stop.set()
    terminal.until("seat was taken away", 30)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(terminal.pid, 0)
    assert seat.ended == ["the study was stopped"]
    seat.stop.clear()
    seat.sit()
    terminal = sit_down(seat)
    terminal.type("lab share_finding insight 'Another' 'B'")
    assert [p["title"] for p in seat.lab.posts] == ["A title", "Another"]
