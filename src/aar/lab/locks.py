"""Who serves a lab and who uses it: two file locks, which the kernel frees when their holders die, however they die.

server.lock   exclusive: the one server. Who starts a server takes it first and hands it over, open, to the new
              process, so that a lab has its one server from the moment that somebody decides to start it.
users.lock    shared: everybody who needs the lab served. A server that was started for them takes it exclusively
              before it leaves, so that nobody comes in while it goes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from aar.settings import LabFolder


class Lock:
    """`take` never waits. Held until `close`, by every process that has inherited `fd`. Its text names the holder."""

    def __init__(self, path: Path, fd: int | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600) if fd is None else fd

    def take(self, shared: bool = False) -> bool:
        """Also turns a lock of ours from shared to exclusive; where others share it, ours is lost then."""
        try:
            fcntl.flock(self.fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def sign(self) -> None:
        with contextlib.suppress(OSError):  # a full disk: the name is for a message only
            os.ftruncate(self.fd, 0)
            os.pwrite(self.fd, str(os.getpid()).encode(), 0)

    @property
    def signed(self) -> str:
        return os.pread(self.fd, 20, 0).decode(errors="replace").strip() or "?"

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def server_lock(lab: LabFolder, fd: int | None = None) -> Lock:
    return Lock(lab.database.parent / "server.lock", fd)


def users_lock(lab: LabFolder) -> Lock:
    return Lock(lab.database.parent / "users.lock")
