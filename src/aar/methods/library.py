"""The methods that ship with the lab, found by scanning this folder: every module with a `CARD` and a `run`."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType

import aar.methods
from aar.errors import NotFound
from aar.methods.card import Card


@cache
def methods() -> dict[str, ModuleType]:
    """Name -> module, sorted by name."""
    found = (importlib.import_module(f"aar.methods.{m.name}") for m in pkgutil.iter_modules(aar.methods.__path__))
    return {m.__name__.rsplit(".", 1)[-1]: m for m in found if hasattr(m, "CARD") and hasattr(m, "run")}


def get(name: str) -> ModuleType:
    if any(m.name == name for m in pkgutil.iter_modules(aar.methods.__path__)):  # one method costs one import
        module = importlib.import_module(f"aar.methods.{name}")
        if hasattr(module, "CARD") and hasattr(module, "run"):
            return module
    near = difflib.get_close_matches(name, methods(), n=1)
    raise NotFound(
        f"no method is called {name!r}", hint=(f"did you mean {near[0]!r}? " if near else "") + "see: aar method list"
    )


def card(name: str) -> Card:
    return get(name).CARD


def source_file(name: str) -> Path:
    return Path(get(name).__file__ or "")
