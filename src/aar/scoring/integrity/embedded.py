"""Opaque data inside the code: predictions, labels or a head that were computed elsewhere have to travel somewhere.

Counts what cannot be read: long strings without words, big tables of literals, files that are no text. It knows nothing
of what the data is for; a person asks. What re-keying does to the answers is in `memorised`.
"""

from __future__ import annotations

import ast
import zlib
from collections.abc import Iterator

from aar.scoring.integrity.case import Case, Finding, check

MOST = 1000  # bytes, compressed, that a method may carry unasked
LONG = 120  # characters of a literal that is looked at
WORDY = 0.08  # share of spaces in prose
MANY = 60  # entries of a literal table


@check("embedded data")
def find(case: Case) -> list[Finding]:
    sizes = {
        name: sum(len(zlib.compress(piece, 9)) for piece in opaque(name, data)) for name, data in case.files.items()
    }
    total = sum(sizes.values())
    if total <= MOST:
        return []
    where = ", ".join(f"{name} ({size:,} bytes)" for name, size in sizes.items() if size)
    says = f"carries {total:,} bytes of data that nobody can read (compressed; {MOST:,} are allowed): {where}"
    look = "ask where the data comes from: rows of this testbed, labels of teachers and answers may not travel in code"
    return [
        Finding(
            "embedded data",
            "flag",
            "carries data",
            says,
            look,
            {"bytes": total, "files": {k: v for k, v in sizes.items() if v}},
        )
    ]


def opaque(name: str, data: bytes) -> Iterator[bytes]:
    """The pieces of a file that are data rather than code or prose."""
    if not name.endswith(".py"):
        if not name.endswith((".md", ".txt", ".toml")) or not _prose(data.decode("utf-8", "replace")):
            yield data
        return
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError):
        yield data
        return
    yield from _literals(tree)
    comments = b"\n".join(line for line in data.splitlines() if line.lstrip().startswith(b"#"))
    if len(comments) > LONG and not _prose(comments.decode("utf-8", "replace")):
        yield comments


def _literals(node: ast.AST) -> Iterator[bytes]:
    if isinstance(node, ast.Dict | ast.List | ast.Tuple | ast.Set) and _entries(node) >= MANY:
        yield ast.unparse(node).encode()
        return
    if isinstance(node, ast.Constant):
        value = node.value
        if isinstance(value, bytes) and len(value) > LONG:
            yield value
        elif isinstance(value, str) and len(value) > LONG and not _prose(value):
            yield value.encode("utf-8", "surrogatepass")
        elif isinstance(value, int) and value.bit_length() > 8 * LONG:
            yield value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)
        return
    for child in ast.iter_child_nodes(node):
        yield from _literals(child)


def _entries(node: ast.AST) -> int:
    return sum(isinstance(n, ast.Constant) for n in ast.walk(node))


def _prose(text: str) -> bool:
    """Words with spaces between them, none of them endless."""
    words = text.split()
    return text.count(" ") + text.count("\n") >= WORDY * len(text) and sum(map(len, words)) < 14 * max(len(words), 1)
