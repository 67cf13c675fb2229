"""The bank behind the code testbed: short correct functions, one family per module, read as source and never imported.

A function's name is its template, its docstring is the task (parameters are named in it as words), its annotations
name pools of test inputs. To add one, write it: nothing else has to know.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from aar.testbeds.generators.code_bank.inputs import POOLS


@dataclass(frozen=True)
class Template:
    """One function of the bank. source: unparsed without docstring and annotations; pools: one per parameter."""

    name: str
    family: str
    task: str
    source: str
    pools: tuple[str, ...]

    @property
    def inputs(self) -> list[list[Any]]:
        return [POOLS[pool] for pool in self.pools]


def _template(family: str, function: ast.FunctionDef) -> Template:
    task = ast.get_docstring(function) or ""
    pools = tuple(ast.unparse(a.annotation) for a in function.args.args if a.annotation)
    for argument in function.args.args:
        argument.annotation = None
    function.body = function.body[1:]
    return Template(function.name, family, task, ast.unparse(function), pools)


@cache
def templates() -> tuple[Template, ...]:
    """All functions of the bank, ordered by family and name."""
    found = []
    for entry in resources.files(__name__).iterdir():
        family = entry.name.removesuffix(".py")
        if not entry.name.endswith(".py") or family in ("__init__", "inputs"):
            continue
        tree = ast.parse(entry.read_text(encoding="utf-8"))
        found += [_template(family, node) for node in tree.body if isinstance(node, ast.FunctionDef)]
    return tuple(sorted(found, key=lambda t: (t.family, t.name)))
