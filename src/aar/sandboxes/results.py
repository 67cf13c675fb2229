"""Reading what a sandbox left behind, as if it were left there to hurt us: links, fifos, huge or deep files, pickles.

A file is opened without following a link anywhere below the workspace, must be a regular file, and is read once, up
to a cap; what is parsed is that copy. Every refusal is a `MethodError` whose code is the rule.
Does not know what the content means: ids and ranges are checked by `aar.types.Predictions`.
"""

from __future__ import annotations

import io
import json
import os
import re
import stat
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

import numpy as np

from aar.errors import MethodError

MAX_BYTES = 64 << 20
MAX_DEPTH = 32
# never waits for the other end of a fifo, never becomes our terminal
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)


def _open(folder: Path, name: str) -> int:
    """A descriptor of folder/name. The folder is ours and may be reached by links; nothing below it may be."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or parts[0] == "/":
        raise MethodError(f"{name!r} is not a path inside the workspace", code="bad_path")
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            deeper = os.open(part, _OPEN | os.O_DIRECTORY, dir_fd=at)
            os.close(at)
            at = deeper
        return os.open(parts[-1], _OPEN, dir_fd=at)
    except FileNotFoundError:
        raise MethodError(
            f"{name} was not written", code="missing_file", hint=f"write {name} in the workspace"
        ) from None
    except OSError as error:  # ELOOP or ENOTDIR for a link, ENXIO for a socket
        raise MethodError(f"{name} is not a plain file ({error.strerror})", code="not_a_file") from None
    finally:
        os.close(at)


def read_bytes(folder: Path, name: str, max_bytes: int = MAX_BYTES) -> bytes:
    """The content of the regular file folder/name, at most `max_bytes`."""
    fd = _open(folder, name)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise MethodError(f"{name} is not a plain file", code="not_a_file")
    with open(fd, "rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise MethodError(f"{name} is larger than {max_bytes} bytes", code="too_large")
    return content


def parse_json(content: bytes, name: str = "the answer", max_depth: int = MAX_DEPTH) -> Any:
    """Strict JSON: UTF-8, no NaN or Infinity, no key twice in an object, at most `max_depth` deep."""

    def refuse(token: str) -> NoReturn:
        raise MethodError(f"{name} contains {token}, which is not JSON", code="bad_json")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise MethodError(f"{name} has the same key twice in one object", code="duplicate_keys")
        return found

    if _depth(content) > max_depth:
        raise MethodError(f"{name} is nested more than {max_depth} deep", code="too_deep")
    try:
        return json.loads(content.decode(), parse_constant=refuse, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise MethodError(f"{name} is not valid JSON: {error}", code="bad_json") from None


def _depth(content: bytes) -> int:
    """Deepest nesting, from the brackets outside strings."""
    depth = deepest = 0
    for bracket in re.findall(rb"[\[\]{}]", _STRING.sub(b"", content)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def read_json(folder: Path, name: str, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    return parse_json(read_bytes(folder, name, max_bytes), name, max_depth)


def parse_npy(content: bytes, name: str = "the array") -> np.ndarray:
    """A numeric array (bool, integer or float) from the bytes of an .npy file; never a pickle. The header must
    promise exactly the bytes that are there, so that it cannot make us allocate more."""
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(file, max_header_size=10_000)
    except Exception as error:  # numpy parses the header as Python: any error may come of it
        raise MethodError(f"{name} is not a valid .npy file: {str(error)[:200]}", code="bad_npy") from None
    if dtype.kind not in "biuf" or dtype.hasobject or dtype.subdtype:
        raise MethodError(f"{name} holds {dtype}, not plain numbers", code="bad_npy", hint="save a float32 array")
    size = dtype.itemsize
    for n in shape:
        size *= n  # Python integers: a product in numpy would overflow
    data = content[file.tell() :]
    if size != len(data) or any(n < 0 for n in shape):
        raise MethodError(f"{name} promises {size} bytes and has {len(data)}", code="bad_npy")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def read_npy(folder: Path, name: str, max_bytes: int = MAX_BYTES) -> np.ndarray:
    return parse_npy(read_bytes(folder, name, max_bytes), name)
