"""The running lab: one process, one app per socket. What a researcher's sandbox gets is one folder with one socket.

    <sockets>/owner.sock               every route, by scope (0600)
    <sockets>/<researcher>/api.sock    that researcher's routes alone; the folder (0700) is bound into its sandbox
    127.0.0.1:<port>                   optional: every route, by scope

Sockets appear and vanish with tokens, also with those that another process makes. One server a lab (`locks`). Does
not run methods; workers do.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import shutil
import signal
import socket
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from aar.errors import Conflict, InputError, LabError, ProviderDown, Refused
from aar.lab import tokens
from aar.lab.apps import owner_app, researcher_app
from aar.lab.locks import Lock, server_lock
from aar.lab.protocol import LabProtocol
from aar.lab.services import Lab

POLL_S = 1.0
GRACE_S = 5
MAX_SOCKET_PATH = 107
MAX_CONNECTIONS = 64


class _Uvicorn(uvicorn.Server):
    """One of several in a process: signals are handled once, by LabServer."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class _Listener:
    server: _Uvicorn
    task: asyncio.Task[None]
    path: Path | None


class LabServer:
    """`LabServer(lab, port=8000).run()` until SIGTERM or SIGINT. `lock`: held already, by whoever started this process."""

    def __init__(self, lab: Lab, port: int | None = None, host: str = "127.0.0.1", lock: Lock | None = None) -> None:
        self.lab, self.port, self.host, self.lock = lab, port, host, lock
        self.sockets = lab.folder.sockets
        self.ready = threading.Event()
        self._listeners: dict[str, _Listener] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop, self._poke = asyncio.Event(), asyncio.Event()

    def run(self) -> None:
        """Serve until told to stop. Conflict if another server has this lab."""
        gc.freeze()  # what is there now stays; looking through it again and again costs a tenth of a busy server's time
        gc.set_threshold(50_000, 20, 100)
        asyncio.run(self.serve())

    def stop(self) -> None:
        """From any thread: finish what is being answered, then leave."""
        self._from_any_thread(self._stop)

    def socket_of(self, researcher: str) -> Path:
        return self.sockets / tokens.checked_name(researcher) / "api.sock"

    def add_researcher(self, name: str, timeout_s: float = 10.0) -> Path:
        """From another thread: wait until this researcher, who holds a token, has a socket. Gives its path."""
        self._from_any_thread(self._poke)
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if (listener := self._listeners.get(name)) and listener.server.started:
                return self.socket_of(name)
            time.sleep(0.02)
        raise ProviderDown(f"researcher {name!r} got no socket", hint="does it hold a token that is not revoked?")

    async def serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        with self._only_server():
            self._clear_sockets()
            self._catch_signals()
            self.lab.owner_token()
            changed = lambda: self._from_any_thread(self._poke)  # noqa: E731
            self.lab.listeners.append(changed)
            try:
                await self._open("", owner_app(self.lab), self._bind(self.sockets / "owner.sock"))
                if self.port is not None:
                    await self._open("tcp", owner_app(self.lab), self._bind_tcp())
                await self._until_stopped()
            finally:
                self.lab.listeners.remove(changed)
                self.lab.stopping = True
                await asyncio.gather(*(self._close(name) for name in list(self._listeners)))
                self.ready.clear()

    async def _until_stopped(self) -> None:
        while not self._stop.is_set():
            self._poke.clear()
            await self._reconcile()
            self.ready.set()
            waits = [asyncio.ensure_future(e.wait()) for e in (self._stop, self._poke)]
            await asyncio.wait(waits, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()

    async def _reconcile(self) -> None:
        """One socket for each researcher with a working token, none for anybody else."""
        try:
            wanted = await asyncio.to_thread(tokens.active_researchers, self.lab.store)
        except (ProviderDown, LabError):
            return  # the database is busy: look again in a moment, keep what there is
        there = {name for name, one in self._listeners.items() if name not in ("", "tcp") and not one.task.done()}
        for name in there - wanted:
            await self._close(name)
        for name in sorted(wanted - there):
            await self._open(name, researcher_app(self.lab, name), self._bind(self.socket_of(name)))

    # -- one listener

    async def _open(self, name: str, app: ASGIApp, sock: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            http=LabProtocol,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="on",  # it runs the MCP sessions
            ws="none",
            limit_concurrency=None if name in ("", "tcp") else MAX_CONNECTIONS,
            timeout_graceful_shutdown=GRACE_S,
        )
        server = _Uvicorn(config)
        path = Path(sock.getsockname()) if sock.family == socket.AF_UNIX else None
        task = asyncio.create_task(server.serve(sockets=[sock]))
        self._listeners[name] = _Listener(server, task, path)
        while not server.started and not task.done():
            await asyncio.sleep(0.005)

    async def _close(self, name: str) -> None:
        listener = self._listeners.pop(name)
        if listener.path:
            listener.path.unlink(missing_ok=True)
        listener.server.should_exit = True
        await asyncio.wait([listener.task], timeout=GRACE_S + 2)
        if listener.path and listener.path.parent != self.sockets:
            shutil.rmtree(listener.path.parent, ignore_errors=True)

    def _bind(self, path: Path) -> socket.socket:
        if len(os.fsencode(path)) > MAX_SOCKET_PATH:
            raise InputError(f"the socket path {path} is too long", hint="set AAR_RUNTIME to a short folder")
        if path.parent != self.sockets:
            _private_folder(path.parent)
        path.unlink(missing_ok=True)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(str(path))
        path.chmod(0o600)  # its folder is 0700 already, so nobody else got in before this line
        return sock

    def _bind_tcp(self) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((self.host, self.port or 0))
        except OSError as e:
            sock.close()
            raise Conflict(f"port {self.port} is taken ({e.strerror})", hint="choose another with --port") from e
        self.port = sock.getsockname()[1]
        return sock

    # -- the process

    def _from_any_thread(self, event: asyncio.Event) -> None:
        if self._loop is not None and not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):  # the loop closed meanwhile: nothing left to tell
                self._loop.call_soon_threadsafe(event.set)

    def _catch_signals(self) -> None:
        if threading.current_thread() is threading.main_thread() and self._loop:
            for number in (signal.SIGTERM, signal.SIGINT):
                self._loop.add_signal_handler(number, self._stop.set)

    @contextlib.contextmanager
    def _only_server(self) -> Iterator[None]:
        lock = self.lock or server_lock(self.lab.folder)
        try:
            if not lock.take():
                raise Conflict(
                    f"the lab at {self.lab.folder.root} is already served by process {lock.signed}",
                    code="already_serving",
                    hint="stop that one first, or use another lab with --lab",
                )
            lock.sign()
            yield
        finally:
            lock.close()

    def _clear_sockets(self) -> None:
        """We hold the lock, so whatever lies here was left by a server that died."""
        _private_folder(self.sockets)
        for old in self.sockets.iterdir():
            if old.is_dir() and not old.is_symlink():
                shutil.rmtree(old)
            else:
                old.unlink()


def _private_folder(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise Refused(
            f"{path} belongs to somebody else", code="foreign_folder", hint="set AAR_RUNTIME to a folder of yours"
        )
    path.chmod(0o700)


@contextlib.contextmanager
def serving(lab: Lab, port: int | None = None) -> Iterator[LabServer]:
    """A server in a thread of this process, stopped on leaving: for the demo, notebooks and tests."""
    server = LabServer(lab, port)
    failure: list[BaseException] = []

    def run() -> None:
        try:
            server.run()
        except BaseException as e:
            failure.append(e)

    thread = threading.Thread(target=run, name="aar-server", daemon=True)
    thread.start()
    while not server.ready.wait(0.02):
        if not thread.is_alive():
            raise failure[0] if failure else LabError("the server ended at once")
    try:
        yield server
    finally:
        server.stop()
        thread.join(GRACE_S + 5)
