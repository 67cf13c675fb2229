"""What every command shares: `--lab`, `--json`, one way to print a result, an error and progress.

    @app.command()
    def show(name: str, lab: Lab = None, json: Json = False) -> None:
        with run_command(json) as out:
            card = read_card(LabFolder.find(lab), name)
            out.show(card.as_json(), table("Card", {"what": "name", ...}, rows))

With `--json` standard output holds exactly one JSON document, a failure's being {"error": {...}}; progress and
messages for people go to standard error. Exit code 0 done, 1 failed, 2 wrong usage (raised by typer itself), 130 Ctrl-C.
"""

from __future__ import annotations

import errno
import json as jsonlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from aar.errors import AarError

Lab = Annotated[
    Path | None, typer.Option("--lab", metavar="DIR", help="Lab folder; else $AAR_LAB, else ./lab.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.", show_default=False)]

WIDE = 140  # columns of a table that goes into a file or pipe, where no terminal gives a width


@dataclass(frozen=True)
class Output:
    """Where one command prints: JSON for programs, or tables and lines for people."""

    json: bool

    def show(self, data: Any, *human: RenderableType) -> None:
        """The result: `data` with --json, else each of `human` (strings are printed as they are)."""
        if self.json:
            print(jsonlib.dumps(data, indent=1, allow_nan=False), flush=True)
            return
        for part in human:
            _console(sys.stdout).print(part, markup=False, highlight=False, soft_wrap=isinstance(part, str))

    def say(self, message: str) -> None:
        """A remark for people, on standard error; nothing with --json."""
        if not self.json:
            _console(sys.stderr).print(message, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def progress(self, doing: str) -> Iterator[None]:
        """A spinner while the block runs, on a terminal; else one line at its start."""
        console = _console(sys.stderr)
        if self.json or not console.is_terminal:
            self.say(f"{doing} ...")
            yield
            return
        with console.status(Text(doing)):
            yield

    def fail(self, error: AarError) -> None:
        """The error, and what to do next."""
        if self.json:
            print(jsonlib.dumps(error.as_json(), indent=1), flush=True)
            return
        console = _console(sys.stderr)
        console.print(Text("error: ", style="bold red") + Text(error.message), soft_wrap=True)
        if error.hint:
            console.print(Text(f"  -> {error.hint}", style="yellow"), soft_wrap=True)


@contextmanager
def run_command(json: bool) -> Iterator[Output]:
    """The body of a command: an AarError, or a full disk, becomes a message (or JSON) and exit code 1."""
    out = Output(json)
    try:
        yield out
    except AarError as error:
        out.fail(error)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        out.fail(AarError("stopped by you", code="stopped", hint="the same command goes on where it was"))
        raise typer.Exit(130) from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        from aar.lab.room import full

        out.fail(full(Path(error.filename or Path.cwd())))
        raise typer.Exit(1) from None


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A plain table; numbers are right-aligned, None is shown as "-", square brackets are not markup."""
    rows = [list(row) for row in rows]
    drawn = Table(title=title, title_justify="left")
    for i, column in enumerate(columns):
        numeric = any(isinstance(row[i], int | float) for row in rows)
        drawn.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text("-" if cell is None else str(cell)) for cell in row))
    return drawn


def _console(stream: Any) -> Console:
    """Made for each print, so that it writes to where the stream points now."""
    return Console(file=stream, width=None if stream.isatty() else WIDE)
