"""Find the things that are added by writing one file: methods, teachers, testbeds, checks, sandboxes, researchers.

A kind is a package folder. Every module in it is imported; what it registers is looked up by name. There is no
central list and no enum: a new file is enough, and an unknown name answers with the known ones.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from aar.errors import LabError, NotFound

T = TypeVar("T")


class Registry(Generic[T]):
    """`teachers = Registry[Teacher]("teacher", "aar.teachers")`, then `@teachers.register("minilm")`."""

    def __init__(self, noun: str, package: str) -> None:
        self.noun, self.package = noun, package
        self._items: dict[str, T] = {}
        self._scanned = False
        self._scanning = threading.RLock()

    def register(self, name: str) -> Callable[[T], T]:
        def add(item: T) -> T:
            if self._items.get(name, item) is not item:
                raise LabError(f"two {self.noun}s are called {name!r}", code="duplicate_name")
            self._items[name] = item
            return item

        return add

    def _scan(self) -> None:
        with self._scanning:
            if not self._scanned:
                self._scanned = True
                for module in pkgutil.iter_modules(importlib.import_module(self.package).__path__):
                    importlib.import_module(f"{self.package}.{module.name}")

    def names(self) -> list[str]:
        self._scan()
        return sorted(self._items)

    def get(self, name: str) -> T:
        self._scan()
        if name in self._items:
            return self._items[name]
        near = difflib.get_close_matches(name, self._items, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise NotFound(f"no {self.noun} is called {name!r}", hint=f"{hint}known: {', '.join(self.names())}")

    def __iter__(self) -> Iterator[tuple[str, T]]:
        return iter([(name, self._items[name]) for name in self.names()])
