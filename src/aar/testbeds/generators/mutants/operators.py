"""Mutation operators on a function's syntax tree. They know nothing about whether a mutant behaves differently.

Every operator that can be undone exists in both directions (`<` to `<=` and `<=` to `<`), so that the selection can
balance them: the mere presence of a token says little.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

COMPARISONS: dict[type, list[type]] = {
    ast.Lt: [ast.LtE, ast.Gt], ast.LtE: [ast.Lt, ast.GtE], ast.Gt: [ast.GtE, ast.Lt], ast.GtE: [ast.Gt, ast.LtE],
    ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.In: [ast.NotIn], ast.NotIn: [ast.In],
    ast.Is: [ast.IsNot], ast.IsNot: [ast.Is],
}  # fmt: skip
ARITHMETIC: dict[type, list[type]] = {
    ast.Add: [ast.Sub, ast.Mult], ast.Sub: [ast.Add], ast.Mult: [ast.Add, ast.FloorDiv], ast.Pow: [ast.Mult],
    ast.FloorDiv: [ast.Mod, ast.Mult], ast.Mod: [ast.FloorDiv], ast.Div: [ast.Mult, ast.FloorDiv],
    ast.BitAnd: [ast.BitOr], ast.BitOr: [ast.BitAnd],
}  # fmt: skip
CALLS = {a: b for pair in (
    ("min", "max"), ("any", "all"), ("sum", "len"), ("upper", "lower"), ("append", "extend"), ("find", "rfind"),
    ("startswith", "endswith"), ("isupper", "islower"), ("keys", "values"), ("int", "str"), ("add", "discard"),
) for a, b in (pair, pair[::-1])}  # fmt: skip
NOT_COMMUTATIVE = (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.Add)


@dataclass(frozen=True)
class Mutant:
    """A changed version of a function. kind: what was changed, in the words of the subset table."""

    kind: str
    source: str


def mutants(source: str) -> list[Mutant]:
    """Every mutant of the function in source that differs from it and from the others as text."""
    tree = ast.parse(source)
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    names = sorted({n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)})
    names += [a.arg for a in function.args.args]
    found: dict[str, Mutant] = {}
    for holder in list(ast.walk(function)):
        for field, value in list(ast.iter_fields(holder)):
            for kind, changed in _changes(holder, field, value, names):
                setattr(holder, field, changed)
                text = ast.unparse(ast.fix_missing_locations(tree))
                found.setdefault(text, Mutant(kind, text))
            setattr(holder, field, value)
    found.pop(ast.unparse(tree), None)
    return list(found.values())


def _changes(holder: ast.AST, field: str, value: object, names: list[str]) -> Iterator[tuple[str, object]]:
    """Replacements (kind, new value) of one field of a node."""
    if isinstance(value, list):
        if field in ("body", "orelse"):
            yield from _moved(value)
            yield from _counted(value)
        for i, element in enumerate(value):
            if isinstance(element, ast.expr | ast.cmpop | ast.stmt):
                for kind, new in _replaced(holder, field, element, names):
                    yield kind, [*value[:i], new, *value[i + 1 :]]
        if field == "args" and isinstance(holder, ast.Call) and len(value) > 1:
            yield "swapped operands", [value[1], value[0], *value[2:]]
    elif isinstance(value, ast.AST):
        yield from _replaced(holder, field, value, names)
    elif value is None and isinstance(holder, ast.Slice) and field == "lower":
        yield "boundary", ast.Constant(1)
    elif value is None and isinstance(holder, ast.Slice) and field == "upper" and holder.step is None:
        yield "boundary", _minus_one()


def _replaced(holder: ast.AST, field: str, node: ast.AST, names: list[str]) -> Iterator[tuple[str, ast.AST]]:
    """Replacements (kind, new node) of one node."""
    if isinstance(node, ast.cmpop):
        for new in COMPARISONS.get(type(node), []):
            yield "comparison", new()
    elif isinstance(node, ast.operator):
        for new in ARITHMETIC.get(type(node), []):
            yield "arithmetic", new()
    elif isinstance(node, ast.boolop):
        yield "logic", (ast.Or() if isinstance(node, ast.And) else ast.And())
    elif isinstance(node, ast.Break | ast.Continue):
        yield "logic", (ast.Continue() if isinstance(node, ast.Break) else ast.Break())
    elif isinstance(node, ast.Assign | ast.AugAssign):
        yield from _assigned(node)
    elif isinstance(node, ast.Constant):
        yield from _constant(holder, field, node)
    elif isinstance(node, ast.expr):
        yield from _expression(holder, field, node, names)


def _constant(holder: ast.AST, field: str, node: ast.Constant) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node.value, bool):
        yield "logic", ast.Constant(not node.value)
    elif isinstance(node.value, str) and isinstance(holder, ast.Assign | ast.Tuple | ast.Return):
        yield "start value", ast.Constant(" " if not node.value else "")
    elif isinstance(node.value, int):
        kind = "start value" if isinstance(holder, ast.Assign) or _starts(holder) else "boundary"
        if not isinstance(holder, ast.UnaryOp):
            yield kind, ast.Constant(node.value + 1)
            if node.value > 0:
                yield kind, ast.Constant(node.value - 1)
        if isinstance(holder, ast.Subscript) and node.value == 0:
            yield "boundary", _minus_one()
        if isinstance(holder, ast.Slice) and node.value == 1 and field == "lower":
            yield "boundary", None  # type: ignore[misc]  # x[1:] becomes x[:]


def _expression(holder: ast.AST, field: str, node: ast.expr, names: list[str]) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        yield from (("variable", ast.Name(name, ast.Load())) for name in names if name != node.id)
    if isinstance(node, ast.Call):
        yield from _called(node)
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, NOT_COMMUTATIVE):
            yield "swapped operands", ast.BinOp(node.right, node.op, node.left)
        if isinstance(node.op, ast.Add | ast.Sub) and isinstance(node.right, ast.Constant) and node.right.value == 1:
            yield "boundary", node.left
    elif _is_bound(holder, field) and isinstance(node, ast.Name | ast.Call):
        yield "boundary", ast.BinOp(node, ast.Add(), ast.Constant(1))
        yield "boundary", ast.BinOp(node, ast.Sub(), ast.Constant(1))
    if isinstance(node, ast.Slice) and node.step is None and (node.lower is None) != (node.upper is None):
        yield "boundary", ast.Slice(node.upper, node.lower)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(holder, ast.Subscript):
        yield "boundary", ast.Constant(0)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "logic", node.operand
    elif (field == "test" or field == "ifs") and not isinstance(node, ast.Compare | ast.BoolOp):
        yield "logic", ast.UnaryOp(ast.Not(), node)
    if isinstance(node, ast.List) and not node.elts and field in ("value", "elts"):
        yield "start value", ast.List([ast.Constant(0)], ast.Load())
    if isinstance(node, ast.IfExp):
        yield "swapped operands", ast.IfExp(node.test, node.orelse, node.body)
    if isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.ctx, ast.Load):
        yield "swapped operands", ast.Tuple(node.elts[::-1], ast.Load())


def _is_bound(holder: ast.AST, field: str) -> bool:
    """Whether the field is an index, a slice bound, a range argument or what a number is compared to."""
    is_range = isinstance(holder, ast.Call) and isinstance(holder.func, ast.Name) and holder.func.id == "range"
    return (is_range and field == "args") or isinstance(holder, ast.Slice) or field in ("slice", "comparators")


def _starts(holder: ast.AST) -> bool:
    """Whether the node is a tuple of which a part is a written value, as in `total, best = 0, x`."""
    return isinstance(holder, ast.Tuple) and isinstance(holder.ctx, ast.Load)


def _called(node: ast.Call) -> Iterator[tuple[str, ast.AST]]:
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    if name in CALLS:
        other = CALLS[name]
        target = node.func.value if isinstance(node.func, ast.Attribute) else None
        func = ast.Attribute(target, other, ast.Load()) if target is not None else ast.Name(other, ast.Load())
        yield "call", ast.Call(func, node.args, node.keywords)
    if name == "sorted":
        others = [k for k in node.keywords if k.arg != "reverse"]
        reverse = ast.keyword("reverse", ast.Constant(True))
        yield "call", ast.Call(node.func, node.args, others if len(others) < len(node.keywords) else [*others, reverse])
    if name == "pop":
        yield "call", ast.Call(node.func, [] if node.args else [ast.Constant(0)], [])


def _assigned(node: ast.Assign | ast.AugAssign) -> Iterator[tuple[str, ast.AST]]:
    """`x += 1` to `x = 1` and back."""
    if isinstance(node, ast.AugAssign):
        yield "assignment", ast.Assign([node.target], node.value)
    elif len(node.targets) == 1 and isinstance(node.targets[0], ast.Name | ast.Subscript):
        for operator in (ast.Add, ast.Sub):
            yield "assignment", ast.AugAssign(node.targets[0], operator(), node.value)


def _moved(body: list[ast.stmt]) -> Iterator[tuple[str, list[ast.stmt]]]:
    """Statements in the wrong place: neighbours exchanged, the last one moved into or out of a block, branches swapped."""
    for i, (one, two) in enumerate(pairwise(body)):
        yield "order", [*body[:i], two, one, *body[i + 2 :]]
        if isinstance(one, ast.For | ast.While | ast.If) and not one.orelse:
            yield "order", [*body[:i], _with_body(one, [*one.body, two]), *body[i + 2 :]]
    for i, block in enumerate(body):
        if isinstance(block, ast.For | ast.While | ast.If) and not block.orelse and len(block.body) > 1:
            yield "order", [*body[:i], _with_body(block, block.body[:-1]), block.body[-1], *body[i + 1 :]]
        if isinstance(block, ast.If) and block.orelse and not isinstance(block.orelse[0], ast.If):
            yield "order", [*body[:i], ast.If(block.test, block.orelse, block.body), *body[i + 1 :]]


def _counted(body: list[ast.stmt]) -> Iterator[tuple[str, list[ast.stmt]]]:
    """One statement too few or too many."""
    for i, statement in enumerate(body):
        if len(body) > 1:
            yield "missing line", [*body[:i], *body[i + 1 :]]
        if isinstance(statement, ast.AugAssign | ast.Expr | ast.Assign):
            yield "repeated line", [*body[:i], statement, *body[i:]]


def _with_body(block: ast.For | ast.While | ast.If, body: list[ast.stmt]) -> ast.stmt:
    if isinstance(block, ast.For):
        return ast.For(block.target, block.iter, body, [])
    return type(block)(block.test, body, [])


def _minus_one() -> ast.expr:
    return ast.UnaryOp(ast.USub(), ast.Constant(1))
