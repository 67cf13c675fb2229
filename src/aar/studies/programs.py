"""When two methods are one: the same program under other prose, comments and layout. Constants count: they are parameters."""

from __future__ import annotations

import ast
from collections.abc import Mapping


def program(source: str | bytes) -> str:
    """The same text for the same code and parameters; what does not parse stands for itself."""
    try:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                node.body = [line for line in node.body if not _is_prose(line)]
        return ast.dump(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source if isinstance(source, str) else source.decode(errors="replace")


def programs(files: Mapping[str, bytes]) -> frozenset[tuple[str, str]]:
    """Of a whole snapshot: its Python files; what else lies there is not compared."""
    return frozenset((name, program(data)) for name, data in files.items() if name.endswith(".py"))


def _is_prose(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
