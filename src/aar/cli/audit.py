"""The audit log: check that nothing was removed, changed or reordered."""

from __future__ import annotations

import typer

from aar.cli.console import Json, Lab, run_command
from aar.errors import NotFound
from aar.settings import LabFolder

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _audit() -> None:
    """The audit log: check that nothing was removed, changed or reordered."""


@app.command()
def verify(lab: Lab = None, json: Json = False) -> None:
    """Name every entry that was removed, cut off, changed or moved. Exit code 1 if there is one."""
    with run_command(json) as out:
        from aar.lab.audit import AuditLog

        folder = LabFolder.find(lab)
        path = folder.database.parent / "audit.jsonl"
        if not path.exists():
            raise NotFound(f"{folder.root} has no audit log", hint="serve the lab first: aar serve")
        report = AuditLog(path, folder.sealed / "audit.key").verify()
        out.show(
            {"ok": report.ok, "entries": report.entries, "problems": list(report.problems)},
            *(report.problems or [f"{report.entries} entries, none removed, changed or reordered"]),
        )
        if not report.ok:
            raise typer.Exit(1)
