"""Child process: execute originals and mutants on inputs and print how each mutant fared. Standard library only.

Reads {"jobs": [{"source", "mutants": [...], "inputs": [repr of an argument tuple, ...]}], "skip": [[job, mutant], ...]}.
Prints one JSON line per mutant: [job, mutant, inputs tried, wrong values, errors]; and before each one [job, mutant], so
that the parent knows where a dead child stopped. Endless loops stop at a number of steps, not at a time: the same
mutants are killed on every machine.
"""

from __future__ import annotations

import ast
import json
import math
import resource
import signal
import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

STEPS, DEPTH, MUTANT_CPU_S, MEMORY = 3000, 250, 1, 1 << 30


class _TooLong(BaseException):
    """Not an Exception: code under test cannot swallow it."""


def compile_counted(source: str) -> Callable[[list[Any]], Any]:
    """The function in source as call(args), with a step counter in every loop and function."""
    tree = ast.parse(source)
    tick = ast.parse("_tick()").body[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.For | ast.While | ast.FunctionDef):
            node.body = [tick, *node.body]
    left = [0]

    def count() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise _TooLong

    space: dict[str, Any] = {"_tick": count}
    exec(compile(ast.fix_missing_locations(tree), "<bank>", "exec"), space)
    function = next(v for k, v in space.items() if callable(v) and k != "_tick" and k != "__builtins__")

    def call(args: list[Any]) -> Any:
        left[0] = STEPS
        return function(*args)

    return call


def same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
    return type(a) is type(b) and bool(a == b)


def measure(mutant: str, tests: list[tuple[CodeType, Any]]) -> tuple[int, int]:
    """(wrong values, errors) of a mutant on tests, pairs of arguments (to be evaluated afresh) and the original's value."""
    call, wrong, errors = compile_counted(mutant), 0, 0
    for arguments, expected in tests:
        try:
            wrong += not same(call(eval(arguments)), expected)
        except (Exception, _TooLong):
            errors += 1
        if errors > len(tests) / 2:
            break  # it hardly ever returns: no need to run every endless loop to its end
    return wrong, errors


def expectations(source: str, inputs: list[str]) -> list[tuple[CodeType, Any]]:
    """The inputs on which the original returns, with what it returns."""
    call, tests = compile_counted(source), []
    for arguments in (compile(written, "<input>", "eval") for written in inputs):
        try:
            tests.append((arguments, call(eval(arguments))))
        except (Exception, _TooLong):
            continue
    return tests


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.setrecursionlimit(DEPTH)
    request = json.load(sys.stdin)
    skip = {tuple(place) for place in request["skip"]}
    for j, job in enumerate(request["jobs"]):
        tests = None
        for m, mutant in enumerate(job["mutants"]):
            if (j, m) in skip:
                continue
            tests = expectations(job["source"], job["inputs"]) if tests is None else tests
            print(json.dumps([j, m]), flush=True)
            signal.setitimer(signal.ITIMER_VIRTUAL, MUTANT_CPU_S)  # unhandled, it ends the process
            print(json.dumps([j, m, len(tests), *measure(mutant, tests)]), flush=True)


if __name__ == "__main__":
    main()
