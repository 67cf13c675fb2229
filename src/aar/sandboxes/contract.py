"""The contract of every sandbox: named behaviours, each tried out for real.

A behaviour is `check(sandbox, folder)`: it runs programs with a fresh workspace below `folder` (on the host) and raises
AssertionError if the sandbox does not hold. What a provider cannot do stands in its `known_failures`; `verify` reports a
known failure that has stopped failing, too. The tests run it for each provider, `aar doctor` on the user's host.
The behaviours are in `isolation` (what is out of reach) and `bounds` (what is used up, and how it ends).
"""

from __future__ import annotations

import importlib
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from aar.errors import AarError, InputError
from aar.sandboxes.base import WORKSPACE, Limits, Mount, Outcome, Sandbox
from aar.sandboxes.hostile import HOSTILE, Program

Check = Callable[[Sandbox, Path], None]
SMALL = Limits(wall_s=20, memory_mb=256, pids=24, disk_mb=24, output_mb=1)
BEHAVIOURS: dict[str, Check] = {}


def behaviour(check: Check) -> Check:
    """Adds a check under its function's name; its docstring says what must hold."""
    BEHAVIOURS[check.__name__] = check
    return check


def behaviours() -> dict[str, Check]:
    for module in ("isolation", "bounds"):
        importlib.import_module(f"aar.sandboxes.{module}")
    return BEHAVIOURS


@dataclass(frozen=True)
class Finding:
    """How one behaviour came out. "known": fails as the provider says. "stale": no longer fails, against its word."""

    behaviour: str
    meaning: str
    status: Literal["held", "known", "failed", "stale"]
    detail: str = ""

    @property
    def ok(self) -> bool:
        return self.status in ("held", "known")


def try_out(sandbox: Sandbox, name: str, folder: Path) -> Finding:
    """One behaviour in an empty folder."""
    check = behaviours()[name]
    meaning, reason = (check.__doc__ or "").strip(), sandbox.known_failures.get(name)
    try:
        check(sandbox, folder)
    except (AssertionError, AarError) as error:
        return Finding(name, meaning, "known" if reason else "failed", reason or str(error))
    return Finding(name, meaning, "stale" if reason else "held", reason or "")


def verify(sandbox: Sandbox, names: Sequence[str] = ()) -> Iterator[Finding]:
    """All behaviours (or these), one after the other, each in its own temporary folder."""
    if not __debug__:
        raise InputError("python -O removes assertions, and with them the contract", hint="run without -O")
    for name in names or behaviours():
        with tempfile.TemporaryDirectory(prefix="aar-contract-") as folder:
            yield try_out(sandbox, name, Path(folder).resolve())


def workspace(folder: Path) -> Mount:
    (folder / "workspace").mkdir(exist_ok=True)
    return Mount(folder / "workspace", WORKSPACE, writable=True)


def python(sandbox: Sandbox, folder: Path, code: str, *args: object, **options: Any) -> Outcome:
    """Run Python code, as a hostile program is run (see `attack`); it can use what those can."""
    return _run(sandbox, folder, Program("", "", code), args, **options)


def attack(sandbox: Sandbox, folder: Path, name: str, *args: object, **options: Any) -> Outcome:
    """Run a hostile program with a workspace. `options`: mounts, stdin, and other limits than SMALL. Arguments that are
    Paths are the host's, strings are paths inside."""
    return _run(sandbox, folder, HOSTILE[name], args, **options)


def _run(
    sandbox: Sandbox,
    folder: Path,
    program: Program,
    args: Sequence[object],
    mounts: Sequence[Mount] = (),
    stdin: bytes | None = None,
    **limits: Any,
) -> Outcome:
    shown = [workspace(folder), *mounts]
    return sandbox.run(program.argv(*args), shown, limits=replace(SMALL, **limits), stdin=stdin)


def fails(outcome: Outcome) -> None:
    """The hostile program came to its end, and got away with nothing."""
    assert outcome.code == 0, outcome
    won = json.loads(outcome.stdout.splitlines()[-1])
    assert not won, f"got away with: {', '.join(won)}"
