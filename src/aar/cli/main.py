"""`aar`: one command per file in this folder. A new file is a new command; nothing else is edited.

A command file defines `app` (a typer.Typer: a group such as `aar testbed build`, or one command) or
`command(app)`, which registers on the Typer it is given. The first line of its docstring is its line in
`aar --help`. Files are only parsed until a command is called: no import of torch delays the help.
"""

from __future__ import annotations

import ast
import importlib
import json
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

import aar
from aar.cli.console import Output
from aar.errors import InputError, LabError

UsageError: Any = typer.BadParameter.__mro__[1]  # typer carries its own copy of click, or depends on it, by version


@cache
def command_files() -> dict[str, str]:
    """command -> its help line, for every file in this folder that defines one."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
        tree = ast.parse(path.read_bytes())
        defined = {getattr(node, "name", None) for node in tree.body}
        defined |= {target.id for node in tree.body for target in _targets(node) if isinstance(target, ast.Name)}
        if defined & {"app", "command"}:
            found[path.stem.replace("_", "-")] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def _targets(node: ast.stmt) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []


def load_command(name: str) -> Any:
    """Import the command's file and make its click command."""
    module = importlib.import_module(f"aar.cli.{name.replace('-', '_')}")
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer()
        module.command(app)
    loaded = typer.main.get_command(app)
    loaded.name = name
    loaded.help = loaded.help or command_files()[name]
    loaded.params = [p for p in loaded.params if p.name not in ("install_completion", "show_completion")]
    return loaded


class Commands(typer.core.TyperGroup):
    """Lists the files; imports the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(command_files())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in command_files():
            return None
        return typer.core.TyperCommand(cmd_name, help=command_files()[cmd_name])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, stub, rest = super().resolve_command(ctx, args)
        return name, load_command(str(name)) if stub else None, rest


root = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"aar-lab {aar.__version__}")
        raise typer.Exit


@root.callback()
def _aar(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """A lab in which automated alignment researchers work, and whose scores can be trusted."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0 done, 1 failed, 2 wrong usage."""
    args = list(sys.argv[1:] if argv is None else argv)
    out = Output("--json" in args)
    try:
        code = typer.main.get_command(root).main(args, prog_name="aar", standalone_mode=False)
    except UsageError as error:
        return _wrong_usage(out, error)
    except (typer.Abort, KeyboardInterrupt):
        out.fail(InputError("stopped by you", code="stopped"))
        return 1
    except BrokenPipeError:  # `aar ... | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # the one edge where nothing may escape unreported
        if os.environ.get("AAR_DEBUG"):
            raise
        hint = "this is a defect in aar; AAR_DEBUG=1 shows where"
        out.fail(LabError(f"{type(error).__name__}: {error}", code="internal", hint=hint))
        return 1
    return code if isinstance(code, int) else 0


def _wrong_usage(out: Output, error: Any) -> int:
    """Exit code 2, with the call that would have been right."""
    context = error.ctx
    hint = f"`{context.command_path} --help` shows the usage" if context else "`aar --help` shows the usage"
    if out.json:
        print(json.dumps(InputError(error.format_message(), code="usage", hint=hint).as_json(), indent=1))
    elif message := error.format_message():
        out.fail(InputError(message, code="usage", hint=hint))
    return 2
