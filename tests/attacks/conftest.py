"""Attacks make their own labs; what they keep outside of them stays in the tests' folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aar.attacks.field.range import Range


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AAR_STATE", str(tmp_path / "outside"))
    monkeypatch.setenv("AAR_RUNTIME", str(short))


@pytest.fixture(scope="module")
def arena() -> Iterator[Range]:
    """One range with the planted testbed for a module's tests."""
    made = Range()
    yield made
    made.close()
