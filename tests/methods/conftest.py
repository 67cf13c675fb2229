"""`worlds`: the synthetic worlds of this folder, loaded once, so that methods that share an ablation share its runs."""

from __future__ import annotations

import sys
from importlib import util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def worlds() -> ModuleType:
    spec = util.spec_from_file_location("method_worlds", Path(__file__).with_name("worlds.py"))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["method_worlds"] = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
