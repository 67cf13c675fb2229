"""How much disk a sandbox holds: a walk over its writable folders, plus files that are open but unlinked.

There is no hard quota that works for every user and outlives a process (loop and tmpfs mounts need root), so a
writable mount is watched: what exceeds `Limits.disk_mb` between two looks (0.1 to 1 s) is not prevented, only
ended. RLIMIT_FSIZE bounds each single file at once, and a host that runs low on space ends the run whatever the walk
says, which covers files hidden in ways the walk does not see (unlinked and only mapped, in flight over a socket).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

# the host keeps this much for itself (or a hundredth of the disk, if that is less)
RESERVE_BYTES = 1 << 30


def _walk(folder: Path) -> Iterable[tuple[tuple[int, int], int]]:
    """((device, inode), bytes on disk) of everything below; links are not followed."""
    stack = [str(folder)]
    while stack:
        with contextlib.suppress(OSError), os.scandir(stack.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    stat = entry.stat(follow_symlinks=False)
                    yield (stat.st_dev, stat.st_ino), stat.st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        stack.append(entry.path)


def _unlinked(pids: Iterable[int], devices: set[int]) -> Iterable[tuple[tuple[int, int], int]]:
    for pid in pids:
        with contextlib.suppress(OSError), os.scandir(f"/proc/{pid}/fd") as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    stat = entry.stat()
                    if stat.st_nlink == 0 and stat.st_dev in devices:
                        yield (stat.st_dev, stat.st_ino), stat.st_blocks * 512


class Quota:
    """Watches the writable folders of one run."""

    def __init__(self, folders: Sequence[Path], limit_mb: int) -> None:
        self.folders, self.limit = folders, limit_mb << 20
        self.devices = {folder.stat().st_dev for folder in folders}
        self._next = 0.0

    def used(self, pids: Iterable[int] = ()) -> int:
        """Bytes on disk, each file once."""
        files = dict(item for folder in self.folders for item in _walk(folder))
        return sum((files | dict(_unlinked(pids, self.devices))).values())

    def exceeded(self, pids: Iterable[int] = (), share: float = 1.0) -> bool:
        return self.used(pids) > self.limit * share or any(self._disk_full(folder) for folder in self.folders)

    def due(self, pids: Iterable[int]) -> bool:
        """`exceeded`, but looks at most every 0.1 s, and rarer where looking takes long. Cheap to call often."""
        begin = time.monotonic()
        if not self.folders or begin < self._next:
            return False
        full = self.exceeded(pids)
        took = time.monotonic() - begin
        self._next = begin + min(1.0, max(0.1, 10 * took)) + took
        return full

    @staticmethod
    def _disk_full(folder: Path) -> bool:
        try:
            disk = shutil.disk_usage(folder)
        except FileNotFoundError:  # removed while we look: it holds nothing
            return False
        return disk.free < min(RESERVE_BYTES, disk.total // 100)
