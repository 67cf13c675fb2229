"""A person's terminal, joined to a shell in the sandbox. A terminal of its own is made inside, so that editors and Ctrl-C work.

The shell ends when the person leaves, or when the seat is taken away: the study stopped, or its clock ran out. Knows no tool.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import socket
import sys
import termios
import time
import tty
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from aar.errors import Conflict, NotFound
from aar.sandboxes import PYTHON, Mount, Running
from aar.sandboxes.described import reopened

SEAT = "/lab"
LOOK_S = 1.0
BLOCK = 1 << 16
SHELL = f'stty rows "$0" cols "$1"; cat {SEAT}/task.md; echo; lab --help; exec bash --norc -i'
INSIDE = """
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(["/bin/bash", "--norc", "-c", *sys.argv[1:]])))
"""


def join(home: Path, keyboard: int = 0, screen: int = 1) -> str:
    """Sit down on the seat of the researcher whose folder is `home`, until one leaves. Returns why it ended."""
    seat = home / "seat.json"
    with _alone(home / "seat.lock"):
        if not _kept(seat):
            raise NotFound(
                f"no seat is kept for {home.name}", hint="it is kept while the study runs: aar study run NAME"
            )
        kept = json.loads(seat.read_text())
        sandbox, mounts, limits = reopened(kept)
        size = shutil.get_terminal_size()
        env = {
            "TERM": os.environ.get("TERM", "xterm"),
            "PATH": f"{SEAT}:/opt/venv/bin:/usr/local/bin:/usr/bin:/bin",
            "PS1": r"\w $ ",
        }
        running = sandbox.start(
            [PYTHON, "-I", "-c", INSIDE, SHELL, str(size.lines), str(size.columns)], [*mounts, Mount(Path(kept["folder"]), SEAT)],
            env | {"HOME": "/workspace"}, replace(limits, wall_s=86_400 * 30),
        )  # fmt: skip
        try:
            with _raw(keyboard), (home / "terminal.cast").open("a") as record:
                record.write(
                    json.dumps(
                        {"version": 2, "width": size.columns, "height": size.lines, "timestamp": int(time.time())}
                    )
                    + "\n"
                )
                return _copy(running, seat, keyboard, screen, record)
        finally:
            running.kill()


def _copy(running: Running, seat: Path, keyboard: int, screen: int, record: IO[str]) -> str:
    began, shown = time.monotonic(), running.stdout.fileno()
    looked, listened = began, [keyboard, shown]
    while True:
        ready = select.select(listened, [], [], LOOK_S)[0]
        if shown in ready:
            if not (block := os.read(shown, BLOCK)):
                return "the shell ended"
            os.write(screen, block)
            record.write(json.dumps([round(time.monotonic() - began, 3), "o", block.decode(errors="replace")]) + "\n")
            record.flush()
        if keyboard in ready:
            if typed := os.read(keyboard, BLOCK):
                running.stdin.write(typed)
                running.stdin.flush()
            else:
                listened.remove(keyboard)
        if time.monotonic() - looked > LOOK_S:
            if not _kept(seat):
                return "the seat was taken away: the study stopped, or your time is over"
            looked = time.monotonic()


def _kept(seat: Path) -> bool:
    """Somebody is behind the counter."""
    try:
        with socket.socket(socket.AF_UNIX) as counter:
            counter.connect(f"{json.loads(seat.read_text())['folder']}/counter.sock")
    except (OSError, ValueError):
        return False
    return True


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict(
                "somebody sits there already", code="seat_taken", hint="leave the other terminal first"
            ) from error
        yield


@contextlib.contextmanager
def _raw(keyboard: int) -> Iterator[None]:
    """Keys go in as they are pressed; the terminal is put back afterwards."""
    if not os.isatty(keyboard):
        yield
        return
    before = termios.tcgetattr(keyboard)
    tty.setraw(keyboard)
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
        sys.stdout.write("\r\n")
