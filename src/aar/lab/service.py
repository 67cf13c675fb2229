"""The whole lab service: the server and its workers, started and stopped as one.

`serve` runs until SIGTERM or SIGINT; `running` gives a block a lab that is served (the one that runs already, or one of
its own for as long as the block lasts). A worker that dies is started again.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from aar.errors import LabError, NotFound
from aar.lab.client import LabClient, owner_client
from aar.lab.exams import Exams
from aar.lab.server import LabServer
from aar.lab.services import open_lab
from aar.settings import LabFolder

START_S = 60.0
STOP_S = 10.0
RESTART_S = 1.0


def serve(folder: LabFolder, port: int | None = None, workers: int = 1) -> None:
    """Serve this lab in the foreground."""
    lab = open_lab(folder, lambda store: Exams(folder, store))
    server = LabServer(lab, port)
    crew = _Crew(folder, workers)
    try:
        with crew:
            server.run()
    finally:
        lab.close()


class _Crew:
    """The worker processes, kept at their number by a thread."""

    def __init__(self, folder: LabFolder, count: int) -> None:
        self.folder, self.count = folder, count
        self.stop = threading.Event()
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        self.thread = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> _Crew:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_S)
            process.kill()

    def _keep(self) -> None:
        while not self.stop.is_set():
            for i in range(self.count):
                if i not in self.processes or self.processes[i].poll() is not None:
                    self.processes[i] = self._start(i)
            self.stop.wait(RESTART_S)

    def _start(self, i: int) -> subprocess.Popen[bytes]:
        logs = self.folder.sealed / "logs"  # a worker sees labels, so its log is sealed
        logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (logs / f"worker-{i}.log").open("ab") as sink:
            return subprocess.Popen(
                [sys.executable, "-m", "aar.lab.worker", str(self.folder.root), f"worker-{i}"],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
            )


@contextlib.contextmanager
def running(folder: LabFolder, workers: int = 1) -> Iterator[LabClient]:
    """The owner's client of a served lab. Starts a server of its own only where none answers, and stops that one."""
    try:
        client = owner_client(folder)
        client.call("GET", "health")
        yield client
        return
    except (NotFound, LabError, OSError):
        pass
    except Exception as error:
        if getattr(error, "fault", "") != "provider":
            raise
    process = _spawn(folder, workers)
    try:
        yield _answering(folder, process)
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S + 5)
        process.kill()


def _spawn(folder: LabFolder, workers: int) -> subprocess.Popen[bytes]:
    folder.root.mkdir(parents=True, exist_ok=True)
    log = folder.root / "server.log"
    with log.open("ab") as sink:
        return subprocess.Popen(
            [sys.executable, "-m", "aar.cli", "serve", "--lab", str(folder.root), "--workers", str(workers)],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env={**os.environ, "AAR_PARENT": str(os.getpid())},
        )


def _answering(folder: LabFolder, process: subprocess.Popen[bytes]) -> LabClient:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            tail = (folder.root / "server.log").read_text(errors="replace").strip().splitlines()[-3:]
            raise LabError(f"the lab server ended at once: {' | '.join(tail)}", hint=f"see {folder.root}/server.log")
        with contextlib.suppress(Exception):  # not up yet, in one of many ways
            client = owner_client(folder)
            client.call("GET", "health")
            return client
        time.sleep(0.1)
    raise LabError(f"the lab server did not answer within {START_S:.0f} s", hint=f"see {folder.root}/server.log")
