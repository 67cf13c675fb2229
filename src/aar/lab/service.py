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
from collections.abc import Callable, Iterator

from aar.errors import AarError, LabError
from aar.lab import queue
from aar.lab.client import LabClient, owner_client
from aar.lab.scorer import GateScorer
from aar.lab.server import LabServer
from aar.lab.services import Lab, open_lab
from aar.settings import LabFolder

START_S = 60.0
STOP_S = 10.0
RESTART_S = 1.0
START_TRIES = 6  # a server that is just leaving holds the lab's lock for a few seconds


def serve(folder: LabFolder, port: int | None = None, workers: int = 1) -> None:
    """Serve this lab in the foreground."""
    lab = open_lab(folder, lambda store: GateScorer(folder, store))
    server = LabServer(lab, port)
    crew = _Crew(lab, workers)
    try:
        with crew:
            server.run()
    finally:
        lab.close()


class _Crew:
    """The worker processes, kept at their number by a thread. What a dead one was at goes to the next at once."""

    def __init__(self, lab: Lab, count: int) -> None:
        self.lab, self.folder, self.count = lab, lab.folder, count
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
            process.wait()
        for i in self.processes:
            self._release(i)  # the next server need not wait for the lease

    def _release(self, i: int) -> None:
        with contextlib.suppress(AarError):  # the database is busy: the lease will run out
            queue.release(self.lab.store, _name(i))

    def _keep(self) -> None:
        while not self.stop.is_set():
            for i in range(self.count):
                if i not in self.processes or self.processes[i].poll() is not None:
                    if i in self.processes:
                        self._release(i)
                    self.processes[i] = self._start(i)
            self.stop.wait(RESTART_S)

    def _start(self, i: int) -> subprocess.Popen[bytes]:
        logs = self.folder.sealed / "logs"  # a worker sees labels, so its log is sealed
        logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (logs / f"worker-{i}.log").open("ab") as sink:
            return subprocess.Popen(
                [sys.executable, "-m", "aar.lab.worker", str(self.folder.root), _name(i)],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env={**os.environ, "AAR_PARENT": str(os.getpid())},
            )


def _name(i: int) -> str:
    """Not that of a worker whose server was killed: that one may still be at its last submission."""
    return f"worker-{i}-of-{os.getpid()}"


@contextlib.contextmanager
def running(folder: LabFolder, workers: int = 1) -> Iterator[LabClient]:
    """The owner's client of a served lab. Starts a server of its own only where none answers, and stops that one."""
    with Served(folder, workers) as served:
        yield served.client


class Served:
    """A lab that is served while the block lasts: by the server that runs already, or by one of our own. With `keep`
    a server that dies, or is stopped by whoever started it, is replaced; `on_start` hears of each start."""

    def __init__(self, folder: LabFolder, workers: int = 1, keep: bool = False,
                 on_start: Callable[[int], None] = lambda pid: None) -> None:
        self.folder, self.workers, self.keep, self.on_start = folder, workers, keep, on_start
        self.client: LabClient
        self.process: subprocess.Popen[bytes] | None = None
        self.fault: AarError | None = None  # why there is no server and there will be none
        self._stop = threading.Event()
        self._keeper = threading.Thread(target=self._watch, name="server-keeper", daemon=True)

    def __enter__(self) -> Served:
        self._ensure()
        if self.keep:
            self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self.keep:
            self._keeper.join()
        if self.process is not None:
            _end(self.process)

    def _watch(self) -> None:
        while not self._stop.wait(RESTART_S):
            try:
                if not self._alive():
                    self._ensure()
            except AarError as error:
                self.fault = error
                return

    def _alive(self) -> bool:
        if self.process is not None:
            return self.process.poll() is None
        return _answers(self.folder) is not None

    def _ensure(self) -> None:
        for attempt in range(START_TRIES):
            if (client := _answers(self.folder)) is not None:
                self.client, self.process = client, None  # another's
                return
            if self._stop.is_set():
                return
            process = _spawn(self.folder, self.workers)
            try:
                self.client = _answering(self.folder, process)
            except AarError as error:
                _end(process)
                if "already served" not in error.message or attempt + 1 == START_TRIES:
                    raise
                self._stop.wait(RESTART_S)
                continue
            except BaseException:
                _end(process)
                raise
            self.process = process
            self.on_start(process.pid)
            return


def _answers(folder: LabFolder) -> LabClient | None:
    """The owner's client, if a server answers now."""
    try:
        client = owner_client(folder)
        client.retries = 0
        client.call("GET", "health")
    except (AarError, OSError):
        return None
    client.retries = LabClient.RETRIES
    return client


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S + 5)
    process.kill()
    process.wait()


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
            start_new_session=True,  # Ctrl-C is for whoever started it, who then stops it
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
