"""Submit a method folder to be rerun by the lab, and wait for the verdict."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from aar.cli.console import Json, Lab, run_command
from aar.errors import Refused
from aar.settings import LabFolder

app = typer.Typer()


@app.command()
def submit(
    folder: Path,
    problem: Annotated[str, typer.Option(help="The problem, e.g. code.")],
    name: Annotated[str | None, typer.Option(help="The method's name; else the folder's.")] = None,
    claimed: Annotated[float | None, typer.Option(help="The PGR you expect; shown beside the verdict.")] = None,
    server: Annotated[
        str | None, typer.Option(help="Socket path or URL; else $AAR_SERVER, else this lab's own.")
    ] = None,
    token: Annotated[str | None, typer.Option(help="Your token; else $AAR_TOKEN.")] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the verdict.")] = True,
    timeout: Annotated[float, typer.Option(help="Seconds to wait.")] = 1800.0,
    lab: Lab = None,
    json: Json = False,
) -> None:
    """Submit a method folder to be rerun by the lab, and wait for the verdict."""
    with run_command(json) as out:
        from aar.task.client import LabClient

        secret = token or os.environ.get("AAR_TOKEN")
        if not secret:
            raise Refused("no token", code="no_token", hint="aar token create NAME, then --token or AAR_TOKEN")
        where = server or os.environ.get("AAR_SERVER") or str(LabFolder.find(lab).sockets / "owner.sock")
        client = LabClient(where, secret)
        row = client.submit(problem, name or folder.resolve().name, folder, claimed)
        if wait:
            with out.progress(f"submission {row['id']}: rerunning on the lab's own seeds"):
                row = client.wait(row["id"], timeout)
        out.show(row, *describe(row))
        if row["state"] == "failed":
            raise typer.Exit(1)


def describe(row: dict[str, Any]) -> list[str]:
    """The verdict in words."""
    head = f"submission {row['id']} is {row['state']}"
    if row["state"] == "failed":
        return [f"{head}: {row['message']} ({row['code']}; at fault: the {row['fault']})"]
    verdict = row.get("verdict")
    if not verdict:
        return [head]
    if verdict["status"] != "improved":
        return [f"{head}: {verdict['status'].replace('_', ' ')}"]
    return [f"{head}: accuracy {verdict['accuracy']:.3f} ± {verdict['error']:.3f}, PGR {verdict['pgr']:.3f}"]
