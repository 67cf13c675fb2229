"""Room on the disk: what a full one looks like from wherever it is met, and who is then not at fault.

A write that fails there raises OSError, git and SQLite say it in words, and a method whose output does not fit fails as if
it were wrong. All of them become one `ProviderDown` with the code "disk_full".
"""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from aar.errors import ProviderDown

LEAST_MB = 8  # with less, a run that fails may have failed for want of room
FULL = (errno.ENOSPC, errno.EDQUOT)


def free_mb(folder: Path) -> int:
    return shutil.disk_usage(folder).free >> 20


def full(folder: Path, free: int | None = None) -> ProviderDown:
    left = "is full" if free is None else f"has {free} MB left"
    return ProviderDown(
        f"the disk of {folder} {left}; what was acknowledged is kept",
        code="disk_full",
        hint="free some space there and run the same command again",
    )


def check(folder: Path, least_mb: int = LEAST_MB) -> None:
    """ProviderDown where less is left."""
    if (free := free_mb(folder)) < least_mb:
        raise full(folder, free)


def behind(error: BaseException | None) -> bool:
    """Whether a full disk is the reason of this error, directly or as what it was raised from."""
    while error is not None:
        if (isinstance(error, OSError) and error.errno in FULL) or getattr(error, "code", "") == "disk_full":
            return isinstance(error, OSError | ProviderDown)  # a method may be told "disk_full" of its own quota
        error = error.__cause__ or error.__context__
    return False


def tells(words: str) -> bool:
    """Whether another program means a full disk (the system, its quota, git, SQLite)."""
    return any(sign in words for sign in ("No space left", "Disk quota exceeded", "Out of diskspace", "disk is full"))
