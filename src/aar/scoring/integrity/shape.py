"""The shape of code: what is left of a file when names, numbers, comments and layout are taken away.

Two snapshots are compared by the runs of syntax nodes they share. Renaming, reformatting, reordered files and other
constants do not change a shape. Knows no snapshot store.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

RUN = 7  # nodes in a row
FEWEST = 25  # runs under which code is too short to have a shape

Shape = frozenset[tuple[str, ...]]


def shape_of(files: Mapping[str, bytes]) -> Shape:
    """All runs of RUN nodes in the functions of these Python files; files that do not parse have none."""
    runs: set[tuple[str, ...]] = set()
    for name, data in files.items():
        if name.endswith(".py"):
            try:
                tree = ast.parse(data)
            except (SyntaxError, ValueError, RecursionError):
                continue
            nodes = tuple(_nodes(tree))
            runs.update(nodes[i : i + RUN] for i in range(len(nodes) - RUN + 1))
    return frozenset(runs)


def _nodes(node: ast.AST) -> Iterator[str]:
    """Node kinds in order of the source. The name of what is imported from outside or called as an attribute is kept:
    it is what code does; the names that the author chose are not."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr_context | ast.Import | ast.ImportFrom) or _is_prose(child):
            continue
        yield f".{child.attr}" if isinstance(child, ast.Attribute) else type(child).__name__
        yield from _nodes(child)


def _is_prose(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def own(shape: Shape, known: Iterable[Shape]) -> Shape:
    """What is left of a shape without what everybody has."""
    return shape.difference(*known)


def alike(a: Shape, b: Shape) -> float:
    """Shared runs as a share of all runs of both (Jaccard), 0 where either is too short to tell."""
    return len(a & b) / len(a | b) if min(len(a), len(b)) >= FEWEST else 0.0


def contained(a: Shape, b: Shape) -> float:
    """The share of a's runs that b has, 0 where a is too short to tell."""
    return len(a & b) / len(a) if len(a) >= FEWEST else 0.0
