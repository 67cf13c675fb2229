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


@pytest.mark.parametrize("between", [" ", "\n"])
def test_prose_is_no_data_however_much_of_it(between: str) -> None:
    """It would be a thousand bytes many times over; in a file of another kind nobody reads it as prose."""
    prose = between.join("".join(RNG.choice(list("aeiounrstl"), RNG.integers(2, 10))) for _ in range(3000))
    assert len(zlib.compress(prose.encode())) > 5000
    assert found({"README.md": prose.encode()}) == found({"method.py": f'"""{prose}"""'.encode()}) == []
    assert found({"method.py": ("# " + prose.replace("\n", "\n# ")).encode()}) == []
    assert found({"table.dat": prose.encode()}) == ["carries data"]


@pytest.mark.parametrize("gap", ["", " ", " " * 30])
def test_data_is_no_prose_by_its_ending_or_its_gaps(gap: str) -> None:
    """A table in a README, in one piece or in long words with many spaces between."""
    words = [PACKED.hex()[i : i + 90] for i in range(0, 2 * len(PACKED), 90)]
    assert found({"method.py": b"x = 1", "README.md": gap.join(words).encode()}) == ["carries data"]


def test_the_library_carries_nothing() -> None:
    """The honest control: every built-in method, long docstrings and tables of settings included."""
    assert [n for n in library.methods() if found({"method.py": library.source_file(n).read_bytes()})] == []
