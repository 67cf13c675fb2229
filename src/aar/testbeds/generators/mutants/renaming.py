"""Other names for the same thing, drawn once per variant and applied to the task and to both responses alike."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

import numpy as np

SYNONYMS: dict[str, tuple[str, ...]] = {
    "numbers": ("numbers", "values", "nums", "data", "items"),
    "others": ("others", "second", "more"),
    "rows": ("rows", "lists", "groups"),
    "words": ("words", "names", "labels", "terms"),
    "text": ("text", "line", "string", "phrase"),
    "word": ("word", "name", "term", "string"),
    "other": ("other", "second", "target"),
    "scores": ("scores", "points", "table", "amounts"),
    "pairs": ("pairs", "entries", "records"),
    "spans": ("spans", "intervals", "ranges"),
    "edges": ("edges", "links", "arcs"),
    "grid": ("grid", "matrix", "board", "cells"),
    "flags": ("flags", "marks", "checks"),
    "tree": ("tree", "node", "root"),
    "price": ("price", "amount", "cost"),
    "minutes": ("minutes", "mins"),
    "letter": ("letter", "symbol", "mark"),
    "n": ("n", "num", "m"),
    "k": ("k", "d", "p", "step"),
    "x": ("x", "v", "item", "value"),
    "i": ("i", "pos", "idx", "t"),
    "j": ("j", "q", "u"),
    "ch": ("ch", "c", "char"),
    "count": ("count", "hits", "tally", "total"),
    "total": ("total", "acc", "amount", "result"),
    "result": ("result", "out", "output", "res"),
    "best": ("best", "top", "chosen"),
    "seen": ("seen", "known", "visited"),
    "low": ("low", "lo", "first"),
    "high": ("high", "hi", "last"),
    "mid": ("mid", "middle", "half"),
    "left": ("left", "start", "l"),
    "right": ("right", "end", "r"),
    "key": ("key", "name", "k"),
    "row": ("row", "part"),
    "ordered": ("ordered", "ranked", "arranged"),
    "stack": ("stack", "pile"),
    "node": ("node", "cell"),
    "queue": ("queue", "waiting"),
    "a": ("a", "s", "first"),
    "b": ("b", "e", "second"),
}
FUNCTION_NAMES = ("{}", "get_{}", "{}_of", "my_{}", "solve", "f", "compute", "answer")


def draw(rng: np.random.Generator, source: str) -> dict[str, str]:
    """New names for the function in source and for those of its names that have synonyms; no two become one."""
    tree = ast.parse(source)
    function = next(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    names = sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - {function})
    renamed = {function: FUNCTION_NAMES[rng.integers(len(FUNCTION_NAMES))].format(function)}
    taken = set(names) | set(renamed.values())
    for name in names:
        free = [s for s in SYNONYMS.get(name, ()) if s == name or s not in taken]
        if free:
            renamed[name] = free[rng.integers(len(free))]
            taken.add(renamed[name])
    return renamed


def rename_code(names: Mapping[str, str], source: str) -> str:
    """source with its names replaced, unparsed."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for field in {ast.Name: ("id",), ast.arg: ("arg",), ast.FunctionDef: ("name",)}.get(type(node), ()):
            setattr(node, field, names.get(getattr(node, field), getattr(node, field)))
    return ast.unparse(tree)


def rename_task(names: Mapping[str, str], task: str, source: str) -> str:
    """task with the parameters of the function in source replaced, as whole words outside of quotes."""
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    parameters = {argument.arg for argument in function.args.args} & set(names)
    return re.sub(r"'[^']*'|\w+", lambda m: names[m[0]] if m[0] in parameters else m[0], task)
