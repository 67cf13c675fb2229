"""Long commands inside a sandbox that go on while their owner does something else, or dies. `python -m aar.task.jobs`:

    serve                     the server, a process of its own sandbox; below: from any other sandbox with this workspace
    start COMMAND             gives the job's number
    status [N]                one line of JSON a job: state, exit code, seconds, progress
    logs N [BYTES]            the end of what it printed
    kill N

`/workspace/jobs/N/` is a job's durable handle: `command`, `log`, `state.json`, and `progress`, whose last line the job may write
itself ($AAR_JOB names the folder). States: running; ended, with its code; killed; lost, where the server died with it. Standard
library only. Everything here is the researcher's own: the lab believes none of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path("/workspace/jobs")
SOCKET = "server.sock"  # named from its folder: a longer path would not fit
MOST = 8  # at a time
GRACE_S = 3.0
DYING_S = 1.0
COMMAND = '#!/bin/sh\nexec /opt/venv/bin/python -I -m aar.task.jobs "$@"\n'


class Refused(Exception):
    """Said to whoever asked."""


def state_of(folder: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((folder / "state.json").read_text())
    except (OSError, ValueError):
        state = {"state": "lost", "code": None}
    with contextlib.suppress(OSError):
        state["progress"] = (folder / "progress").read_text(errors="replace").strip().rpartition("\n")[2][:500]
    return {"job": int(folder.name), **state}


def write_state(folder: Path, **state: Any) -> None:
    part = folder / "state.part"
    part.write_text(json.dumps(state))
    os.replace(part, folder / "state.json")


def folders(root: Path) -> list[Path]:
    return sorted((p for p in root.iterdir() if p.name.isdigit()), key=lambda p: int(p.name))


class Server:
    """`root`: the folder of all jobs. `why`: how the last server ended, for the jobs that were lost with it."""

    def __init__(self, root: Path, why: str = "its server ended") -> None:
        self.root, self.running = root, dict[int, subprocess.Popen[bytes]]()
        self._killed: set[int] = set()
        for folder in folders(root):
            if (state := state_of(folder))["state"] == "running":
                write_state(folder, **{**state, "state": "lost", "why": why, "ended": time.time()})

    def start(self, command: str) -> int:
        if len(self.running) >= MOST:
            raise Refused(f"{MOST} jobs run already: wait for one, or kill it")
        number = max((int(p.name) for p in folders(self.root)), default=0) + 1
        folder = self.root / str(number)
        folder.mkdir()
        (folder / "command").write_text(command)
        with (folder / "log").open("wb") as log:
            child = subprocess.Popen(
                ["/bin/bash", "-c", command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.root.parent,
                env={**os.environ, "AAR_JOB": str(folder)}, start_new_session=True,
            )  # fmt: skip
        write_state(folder, state="running", code=None, began=time.time())
        self.running[number] = child
        threading.Thread(target=self._wait, args=(number, folder, child, time.time()), daemon=True).start()
        return number

    def _wait(self, number: int, folder: Path, child: subprocess.Popen[bytes], began: float) -> None:
        code = child.wait()
        if code == -signal.SIGKILL and number not in self._killed:
            time.sleep(DYING_S)  # whoever kills all that is here comes to this server next: then the job is lost
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # what it left running
        state = "killed" if number in self._killed else "ended"
        write_state(folder, state=state, code=128 - code if code < 0 else code, began=began, ended=time.time())
        del self.running[number]

    def kill(self, number: int) -> None:
        if not (child := self.running.get(number)):
            raise Refused(f"job {number} does not run")
        self._killed.add(number)
        for signum, wait_s in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, GRACE_S)):
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(child.pid, signum)
                child.wait(wait_s)

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            if "start" in asked:
                return {"job": self.start(str(asked["start"]))}
            self.kill(int(asked["kill"]))
            return {"killed": int(asked["kill"])}
        except Refused as no:
            return {"error": str(no)}

    def serve(self, listener: socket.socket) -> None:
        """One question a connection, one at a time."""
        while True:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError, ValueError, TypeError, KeyError):
                connection.settimeout(10)
                line = connection.makefile("rb").readline(1 << 20)
                connection.sendall(json.dumps(self.answer(json.loads(line))).encode() + b"\n")


def serve(root: Path, why: str) -> None:
    root.mkdir(exist_ok=True)
    os.chdir(root)
    (root / "job").write_text(COMMAND)
    (root / "job").chmod(0o755)
    Path(SOCKET).unlink(missing_ok=True)
    server = Server(root, why)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(SOCKET)
        listener.listen()
        server.serve(listener)


def ask(root: Path, question: dict[str, Any], patience_s: float = 20.0) -> dict[str, Any]:
    """Waits for a server that starts."""
    end = time.monotonic() + patience_s
    with socket.socket(socket.AF_UNIX) as server:
        while True:
            try:
                os.chdir(root)
                server.connect(SOCKET)
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)
        server.sendall(json.dumps(question).encode() + b"\n")
        answer: dict[str, Any] = json.loads(server.makefile("rb").readline())
    return answer


def said(root: Path, what: str, words: list[str]) -> Iterator[str]:
    """What a command prints."""
    if what in ("start", "kill"):
        try:
            answer = ask(root, {what: " ".join(words)})
        except (OSError, ValueError):
            raise Refused("the server of jobs is away: try again later, or run it in the foreground") from None
        if "error" in answer:
            raise Refused(answer["error"])
        yield str(answer.get("job", ""))
    elif what == "status":
        yield from (json.dumps(state_of(f)) for f in folders(root) if not words or f.name == words[0])
    elif what == "logs" and words and words[0].isdigit():
        with (root / words[0] / "log").open("rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - int((words[1:] or ["4000"])[0])))
            yield log.read().decode(errors="replace")
    else:
        raise Refused("start COMMAND | status [N] | logs N [BYTES] | kill N")


def main(argv: list[str], root: Path = FOLDER) -> int:
    what, *words = argv or [""]
    if what == "serve":
        serve(root, *words or ["its server ended"])
    try:
        for line in said(root, what, words):
            print(line)
    except (Refused, OSError) as no:
        print(f"error: {no}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
