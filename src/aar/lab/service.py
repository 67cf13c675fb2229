"""The whole lab service: the server and its workers, started and stopped as one.

`serve` runs until SIGTERM or SIGINT; `running` gives a block a lab that is served, by the server that runs already or by
one that is started for it. Such a server belongs to nobody: it stays as long as anybody uses the lab, and leaves with
the last (`locks`). Workers start with the first submission; one that dies is started again.
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
from pathlib import Path

from aar.errors import AarError, LabError, ProviderDown
from aar.lab import queue
from aar.lab.client import LabClient, owner_client
from aar.lab.locks import Lock, server_lock, users_lock
from aar.lab.scorer import GateScorer
from aar.lab.server import LabServer
from aar.lab.services import Lab, open_lab
from aar.settings import LabFolder

START_S = 90.0
STOP_S = 10.0
RESTART_S = 1.0
LOOK_S = 0.1
RETRIES = 7  # of a call, about 25 s in all: a server that was killed is back by then


def serve(folder: LabFolder, port: int | None = None, workers: int = 1, lock: Lock | None = None) -> None:
    """Serve this lab in the foreground. `lock`: the lab's, from whoever started this process for the lab's users; then
    it ends when there are none."""
    if lock:
        threading.Thread(target=_leave_with_users, args=(users_lock(folder),), daemon=True).start()
    lab = open_lab(folder, lambda store: GateScorer(folder, store))
    server = LabServer(lab, port, lock=lock)
    crew = _Crew(lab, workers)
    try:
        with crew:
            server.run()
    finally:
        lab.close()


def _leave_with_users(users: Lock) -> None:
    """Keeps the lock until this process is gone: who wants the lab meanwhile waits, and then starts another server."""
    while not users.take():
        time.sleep(LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)


class _Crew:
    """The worker processes, from the first submission on kept at their number by a thread. What a dead one was at goes
    to the next at once."""

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
            for i in range(self.count if self.processes or self._wanted() else 0):
                if i not in self.processes or self.processes[i].poll() is not None:
                    if i in self.processes:
                        self._release(i)
                    self.processes[i] = self._start(i)
            self.stop.wait(RESTART_S)

    def _wanted(self) -> bool:
        with contextlib.suppress(AarError):  # the database is busy: look again in a moment
            return queue.unsettled(self.lab.store) > 0
        return False

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
    """The owner's client of a lab that is served while the block lasts."""
    with Served(folder, workers) as served:
        yield served.client


class Served:
    """A lab that is served while the block lasts. Where no server runs one is started, with `workers`; with `keep` also
    in place of one that dies, or that its owner stops. `on_start` hears of each that is started here."""

    def __init__(
        self,
        folder: LabFolder,
        workers: int = 1,
        keep: bool = False,
        on_start: Callable[[int], None] = lambda pid: None,
    ) -> None:
        self.folder, self.workers, self.keep, self.on_start = folder, workers, keep, on_start
        self.client: LabClient
        self.process: subprocess.Popen[bytes] | None = None
        self.fault: AarError | None = None  # why there is no server and there will be none
        self._stop = threading.Event()
        self._keeper = threading.Thread(target=self._watch, name="server-keeper", daemon=True)

    def __enter__(self) -> Served:
        self._users = users_lock(self.folder)
        try:
            _wait(lambda: self._users.take(shared=True), f"the server of {self.folder.root} does not end")
            self._ensure()
        except BaseException:
            self._leave()
            raise
        if self.keep:
            self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self.keep:
            self._keeper.join()
        self._leave()

    def _leave(self) -> None:
        """The server goes when nobody is left; the last one waits for that where the process is its own."""
        last = self._users.take()
        if last and self.process:
            _end(self.process)
        elif self.process:
            _OTHERS.append(self.process)
        self._users.close()

    def _watch(self) -> None:
        while not self._stop.wait(RESTART_S):
            try:
                if not self._alive():
                    self._ensure()
            except AarError as error:
                self.fault = error
                return

    def _alive(self) -> bool:
        if self.process is not None and self.process.poll() is None:
            return True
        return _answers(self.folder) is not None

    def _ensure(self) -> None:
        """Until a server answers: whoever gets the server's lock starts it, everybody else waits for it."""
        lock, started = server_lock(self.folder), False

        def there() -> bool:
            nonlocal started
            if client := _answers(self.folder):
                self.client = client
                return True
            if not started and lock.take():
                self.process, started = _spawn(self.folder, self.workers, lock), True
                lock.close()
            if started and self.process and self.process.poll() is not None:
                raise LabError(
                    f"the lab server ended at once: {_last_words(self.folder)}", hint=f"see {_log(self.folder)}"
                )
            return self._stop.is_set()

        try:
            _wait(there, f"the server of {self.folder.root} does not answer", hint=f"see {_log(self.folder)}")
        except ProviderDown:
            if started and self.process:
                _end(self.process)
            raise
        finally:
            lock.close()
        if started and self.process:
            self.on_start(self.process.pid)


_OTHERS: list[subprocess.Popen[bytes]] = []  # servers that were started here and that others still use


def _wait(done: Callable[[], bool], trouble: str, hint: str = "") -> None:
    end = time.monotonic() + START_S
    while not done():
        if time.monotonic() > end:
            raise ProviderDown(f"{trouble} within {START_S:.0f} s", code="no_server", hint=hint or "aar doctor")
        time.sleep(LOOK_S)


def _answers(folder: LabFolder) -> LabClient | None:
    """The owner's client, if a server answers now."""
    try:
        client = owner_client(folder)
        client.retries = 0
        client.call("GET", "health")
    except (AarError, OSError):
        return None
    client.retries = RETRIES
    return client


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S + 5)
    process.kill()
    process.wait()


def _spawn(folder: LabFolder, workers: int, lock: Lock) -> subprocess.Popen[bytes]:
    """A server for the lab's users. It inherits the lock, so the lab is taken however its starter ends."""
    place = ["--lab", str(folder.root), "--workers", str(workers), "--lock", str(lock.fd)]
    with _log(folder).open("ab") as sink:
        return subprocess.Popen(
            [sys.executable, "-m", "aar.cli", "serve", *place],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            pass_fds=[lock.fd],
            start_new_session=True,  # Ctrl-C is for whoever started it
        )


def _log(folder: LabFolder) -> Path:
    return folder.root / "server.log"


def _last_words(folder: LabFolder) -> str:
    return " | ".join(_log(folder).read_text(errors="replace").strip().splitlines()[-3:])
