"""Answers that travel in code are found by their bulk, however they are packed; code, prose and settings are not."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable

import numpy as np
import pytest

from aar.methods import library
from aar.scoring.integrity.case import Case
from aar.scoring.integrity.embedded import find

RNG = np.random.default_rng(0)
TABLE = {f"{RNG.integers(16**8):08x}": int(RNG.integers(2)) for _ in range(400)}
PACKED = zlib.compress(json.dumps(TABLE).encode())


def found(files: dict[str, bytes]) -> list[str]:
    return [f.label for f in find(Case(np.array([0, 1]), np.array([[0.1, 0.9]]), files=files))]


@pytest.mark.parametrize("spelled", [
    lambda: f"T = {TABLE!r}", lambda: f"T = {PACKED!r}", lambda: f"T = {base64.b85encode(PACKED).decode()!r}",
    lambda: f"T = {int.from_bytes(PACKED, 'big'):#x}", lambda: f"T = {list(PACKED)!r}", lambda: "# " + PACKED.hex(),
    lambda: "T = '' \\\n" + " \\\n".join(f"  {PACKED.hex()[i : i + 90]!r}" for i in range(0, len(PACKED) * 2, 90)),
])  # fmt: skip
def test_a_table_is_found_in_every_packing(spelled: Callable[[], str]) -> None:
    """A dictionary, bytes, base 85, one long number, a list, a comment, many short strings in a row."""
    assert found({"method.py": spelled().encode()}) == ["carries data"]


def test_a_file_of_bytes_counts_and_a_readme_does_not() -> None:
    """Weights or tables beside the code; documentation is prose."""
    assert found({"method.py": b"x = 1", "head.npy": PACKED}) == ["carries data"]
    assert found({"method.py": b"x = 1", "table.py": b"T = " + PACKED}) == ["carries data"], "it is no Python"
    assert found({"method.py": b"x = 1", "README.md": b"What this method does, in plain words. " * 400}) == []


def test_the_library_carries_nothing() -> None:
    """The honest control: every built-in method, long docstrings and tables of settings included."""
    assert [n for n in library.methods() if found({"method.py": library.source_file(n).read_bytes()})] == []
