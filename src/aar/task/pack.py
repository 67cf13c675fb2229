"""Pack a method folder into the tar.gz that a submission or a snapshot is. Knows no server and no rule of scoring.

Left out: hidden files, `__pycache__` and compiled Python, links and anything that is not a regular file. The
bytes depend on names and contents alone, so the same folder gives the same archive.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

from aar.errors import InputError

MAX_FILES = 200
MAX_BYTES = 5_000_000
LEFT_OUT = (".pyc", ".pyo")


def pack(folder: str | Path) -> bytes:
    """The folder's files as tar.gz bytes, at most 200 files and 5 MB."""
    return pack_files(read_folder(folder))


def read_folder(folder: str | Path) -> dict[str, bytes]:
    """Relative path -> contents, of what `pack` would pack."""
    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"{root} is not a folder", hint="give the folder that holds method.py")
    files: dict[str, bytes] = {}
    total = 0
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if not _wanted(path, relative):
            continue
        total += path.stat().st_size
        if total > MAX_BYTES or len(files) == MAX_FILES:
            raise InputError(
                f"{root} holds more than {MAX_FILES} files or {MAX_BYTES:,} bytes",
                code="too_large",
                hint="leave data and models out: a method finds its rows and models in the task",
            )
        files[relative.as_posix()] = path.read_bytes()
    return files


def pack_files(files: dict[str, bytes]) -> bytes:
    """tar.gz bytes of these files."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(files[name]), 0o644
            tar.addfile(entry, io.BytesIO(files[name]))
    return buffer.getvalue()


def _wanted(path: Path, relative: Path) -> bool:
    if any(part.startswith(".") or part == "__pycache__" for part in relative.parts):
        return False
    inside_link = any(parent.is_symlink() for parent in [path, *list(path.parents)[: len(relative.parts) - 1]])
    return path.is_file() and not inside_link and path.suffix not in LEFT_OUT
