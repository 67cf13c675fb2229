"""Read JSON lines that somebody else wrote: bounded memory, one clear error with file and line number.

Knows JSON, not rows: `records` says what a row must hold.
"""

from __future__ import annotations

import gzip
import json
import math
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from aar.errors import InputError

LINE_CAP = 1_000_000  # bytes; a longer line is refused after reading this much of it


class Record(NamedTuple):
    """One line's fields, and where they stand (`test.jsonl:12`) for the messages."""

    where: str
    fields: dict[str, Any]


def read_jsonl(path: Path) -> Iterator[Record]:
    """The records of a file (of a .gz too), blank lines skipped. Raises InputError at the first line that is not a JSON
    object."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LINE_CAP + 1), b""), start=1):
                if record := _record(f"{path}:{number}", line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line):
                    yield record
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read: {why}", hint="check the path, its permissions, and its end") from None


def read_own(path: Path) -> list[Record]:
    """The records of a file that we append to, none where there is no file. A last line that a kill cut off is removed."""
    if not path.exists():
        return []
    data = path.read_bytes()
    if not data.endswith(b"\n"):
        os.truncate(path, data.rfind(b"\n") + 1)
    return list(read_jsonl(path))


def read_array(path: Path) -> Iterator[Record]:
    """The objects of a file that holds one JSON array."""
    try:
        rows = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read: {error}", hint="it must hold one JSON array of objects") from None
    for number, row in enumerate(rows if isinstance(rows, list) else [rows], start=1):
        if not isinstance(row, dict):
            raise InputError(f"{path} row {number}: a {type(row).__name__} where an object must be", code="not_json")
        yield Record(f"{path} row {number}", row)


def _record(where: str, line: bytes) -> Record | None:
    if len(line) > LINE_CAP:
        raise InputError(
            f"{where}: the line is longer than {LINE_CAP:,} bytes",
            code="line_too_long",
            hint="write one row a line, and leave out rows this long: no student reads them",
        )
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        hint = "save the file as UTF-8, e.g. `iconv -f latin1 -t utf8`"
        raise InputError(
            f"{where}: not UTF-8 at byte {error.start + 1} of the line", code="not_utf8", hint=hint
        ) from None
    return Record(where, _object(where, text)) if text.strip() else None


def _object(where: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        hint = "every line must be one JSON object such as " + '{"question": "...", "choice": "...", "label": true}'
        raise InputError(f"{where}: not valid JSON: {what}", code="not_json", hint=hint) from None
    if not isinstance(value, dict):
        hint = "write rows as objects, one a line; a JSON array over the whole file is not JSON lines"
        raise InputError(f"{where}: a {type(value).__name__} where an object must be", code="not_json", hint=hint)
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"the number {digits[:20]} is too large")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a field is given twice")
    return fields
