"""AAR Lab: a lab in which automated alignment researchers work, and whose scores can be trusted."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`aar.load`, imported when first asked for: in a sandbox, where it would need what is not there, nobody does."""
    if name == "load":
        return importlib.import_module("aar.scoring.notebook").load
    raise AttributeError(f"module 'aar' has no attribute {name!r}")
