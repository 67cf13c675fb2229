"""Read a researcher's tar or tar.gz from bytes, without ever touching a disk, and refuse what is not plain files.

An own parser rather than `tarfile`: that one recurses on chained headers, follows sparse maps and devices and
has had an extraction bug a year. Here a member is a regular file or a folder; everything else is refused by
name. Limits: 200 files, 5 MB together, a compression ratio of 200. Does not run or import what it reads.
"""

from __future__ import annotations

import sys
import unicodedata
import zlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions

from aar.errors import InputError
from aar.task.pack import MAX_BYTES, MAX_FILES, pack, pack_files

__all__ = ["MAX_BYTES", "MAX_FILES", "check_method", "extract", "extract_method", "pack", "pack_files", "safe_path"]

BLOCK = 512
MAX_TAR = MAX_BYTES + 1_000_000  # headers and padding of 200 files with long names, and tar's 10 kB records
MAX_RATIO = 200
MAX_NAME, MAX_DEPTH = 180, 8
COMPILED = (".pyc", ".pyo", ".pth", ".so", ".pyd", ".dll", ".dylib")
KINDS = {
    b"1": "a hard link", b"2": "a symbolic link", b"3": "a character device", b"4": "a block device",
    b"6": "a FIFO", b"S": "a sparse file", b"M": "a multi-volume part",
}  # fmt: skip


def extract_method(data: bytes) -> dict[str, bytes]:
    """The files of a method archive; one single top folder is stripped. Raises InputError with the reason."""
    files = extract(data)
    tops = {name.split("/")[0] for name in files}
    if "method.py" not in files and len(tops) == 1 and all("/" in name for name in files):
        files = {name.split("/", 1)[1]: body for name, body in files.items()}
    check_method(files)
    return files


def check_method(files: dict[str, bytes]) -> None:
    """A method folder has `method.py` at its top and hides no module of the lab, Python or an installed package."""
    if "method.py" not in files:
        raise InputError(
            "the archive has no method.py at its top",
            code="no_method",
            hint="pack the folder that holds method.py, e.g. `tar czf m.tgz -C FOLDER .`",
        )
    for name in sorted(files):
        if name.lower().endswith(COMPILED):
            raise InputError(f"{name} is compiled code, which nobody can review", code="not_source")
        top = name.split("/")[0]
        module = top.removesuffix(".py") if "/" not in name else top
        if name.endswith(".py") and module in importable_names():
            raise InputError(
                f"{name} would be imported in place of the installed module {module!r}",
                code="shadows_package",
                hint=f"rename {top}",
            )


@cache
def importable_names() -> frozenset[str]:
    """Top-level modules that a method must not replace."""
    own = {"aar", "sitecustomize", "usercustomize", "conftest", "__main__"}
    return frozenset(own | set(sys.stdlib_module_names) | set(packages_distributions()))


def extract(data: bytes) -> dict[str, bytes]:
    """Path -> contents of every regular file in a tar or tar.gz. Raises InputError with the reason."""
    files: dict[str, bytes] = {}
    seen: set[str] = set()
    folders: set[str] = set()
    total = 0
    for name, kind, body in _members(_unzip(data)):
        if kind == b"5":
            if name.strip("./"):
                folders.add(safe_path(name.rstrip("/")).casefold())
            continue
        path = safe_path(name)
        total += len(body)
        if len(files) == MAX_FILES or total > MAX_BYTES:
            raise _refuse(f"more than {MAX_FILES} files or {MAX_BYTES:,} bytes", "too_large")
        if path.casefold() in seen:
            raise _refuse(f"{path!r} is in it twice (upper and lower case count as the same)", "duplicate_name")
        seen.add(path.casefold())
        files[path] = body
    folders |= {key.rsplit("/", i)[0] for key in seen for i in range(1, key.count("/") + 1)}
    if both := seen & folders:
        raise _refuse(f"{min(both)!r} is a file and a folder", "duplicate_name")
    if not files:
        raise _refuse("no file", "empty_archive")
    return files


def safe_path(name: str) -> str:
    """The name without a leading `./`, if it stays inside its folder on every system; else InputError."""
    while name.startswith("./"):
        name = name[2:]
    parts = name.split("/")
    bad = (
        not name
        or len(name.encode()) > MAX_NAME
        or len(parts) > MAX_DEPTH
        or unicodedata.normalize("NFC", name) != name
        or any(not c.isprintable() or c in '\\:*?"<>|' for c in name)
        or any(_bad_part(part) for part in parts)
    )
    if bad:
        raise _refuse(f"the name {name[:80]!r}, which is not a plain relative path", "bad_name")
    return name


def _bad_part(part: str) -> bool:
    folded = part.casefold()
    git = folded.startswith((".git", "git~")) and folded != ".gitignore"
    return part in ("", ".", "..") or git or part != part.strip() or part.endswith(".")


def _unzip(data: bytes) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        if len(data) > MAX_TAR:
            raise _refuse(f"more than {MAX_BYTES:,} bytes", "too_large")
        return data
    inflate = zlib.decompressobj(wbits=31)
    try:
        out = inflate.decompress(data, MAX_TAR + 1)
    except zlib.error as e:
        raise _refuse(f"broken gzip data ({e})", "bad_archive") from e
    if len(out) > MAX_TAR or (len(out) > 1_000_000 and len(out) > MAX_RATIO * len(data)):
        raise _refuse("data that unpacks to far more than it may", "too_large")
    if not inflate.eof or inflate.unused_data.strip(b"\0"):
        raise _refuse("gzip data that is cut short or followed by something else", "bad_archive")
    return out


def _members(tar: bytes) -> Iterator[tuple[str, bytes, bytes]]:
    """(name, type flag, contents) of each file and folder; understands ustar, GNU long names and pax paths."""
    at, long_name = 0, None
    while (header := tar[at : at + BLOCK]) != bytes(BLOCK):
        if len(header) < BLOCK:
            raise _refuse("a tar without its end, so it was cut short", "bad_archive")
        size = _check_header(header)
        body = tar[at + BLOCK : at + BLOCK + size]
        if len(body) < size:
            raise _refuse("a tar that was cut short", "bad_archive")
        at += BLOCK + -(-size // BLOCK) * BLOCK
        kind = header[156:157]
        if kind == b"L":
            long_name = body.rstrip(b"\0")
        elif kind == b"x":
            long_name = _pax_path(body) or long_name
        elif kind == b"g":
            _pax_path(body)
        elif kind in (b"0", b"\0", b"5"):
            yield _decode(long_name or _ustar_name(header)), (b"0" if kind == b"\0" else kind), body
            long_name = None
        else:
            what = KINDS.get(kind, f"a member of type {kind!r}")
            raise _refuse(f"{_decode(long_name or _ustar_name(header))[:80]!r}, which is {what}", "not_a_file")


def _check_header(header: bytes) -> int:
    """The member's size, after the checksum."""
    stated = _octal(header[148:156])
    if sum(header) - sum(header[148:156]) + 8 * ord(" ") != stated:
        raise _refuse("something that is not a tar header", "bad_archive")
    return _octal(header[124:136])


def _octal(field: bytes) -> int:
    digits = field.strip(b" \0")
    if not digits or digits.strip(b"01234567"):
        raise _refuse("a tar header with a bad number", "bad_archive")
    return int(digits, 8)


def _ustar_name(header: bytes) -> bytes:
    name = header[:100].split(b"\0")[0]
    prefix = header[345:500].split(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _pax_path(body: bytes) -> bytes | None:
    """The `path` of a pax header: lines of "<length> <key>=<value>\\n". A `size` there could lie, so none may."""
    path = None
    while body:
        length = body.partition(b" ")[0]
        n = int(length) if length.isdigit() and len(length) < 7 else 0
        if not len(length) + 3 <= n <= len(body) or body[n - 1 : n] != b"\n":
            raise _refuse("a broken pax header", "bad_archive")
        key, _, value = body[len(length) + 1 : n - 1].partition(b"=")
        if key == b"path":
            path = value
        elif key == b"size" or key.startswith((b"GNU.sparse", b"linkpath")):
            raise _refuse(f"a pax header with {key.decode()!r}", "not_a_file")
        body = body[n:]
    return path


def _decode(name: bytes) -> str:
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError as e:
        raise _refuse("a file name that is not UTF-8", "bad_name") from e


def _refuse(what: str, code: str) -> InputError:
    return InputError(f"the archive holds {what}", code=code, hint="send a plain tar or tar.gz of the method folder")
