"""The same made-up study as for the report."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent.parent / "analysis"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fake_study", HERE / "fake_study.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def fake() -> ModuleType:
    """`fake.write(lab, ...)` and `fake.FakeClient`."""
    return load()
