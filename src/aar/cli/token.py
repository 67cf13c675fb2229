"""Tokens: who may call the lab, and as what."""

from __future__ import annotations

from typing import Annotated

import typer

from aar.cli.console import Json, Lab, run_command, table
from aar.settings import LabFolder

app = typer.Typer(no_args_is_help=True)


@app.command()
def create(
    name: str,
    study: Annotated[str | None, typer.Option(help="The study this researcher belongs to.")] = None,
    scope: Annotated[str, typer.Option(help="researcher, reviewer or owner.")] = "researcher",
    lab: Lab = None,
    json: Json = False,
) -> None:
    """Make a token; it is shown this once. A researcher's token also makes the researcher and its socket."""
    with run_command(json) as out:
        from aar.lab import tokens
        from aar.lab.store import Store

        folder = LabFolder.find(lab)
        store = Store(folder.database)
        store.migrate()
        token = tokens.create(store, name, scope, study)
        socket = folder.sockets / (name + "/api.sock" if scope == "researcher" else "owner.sock")
        out.show(
            {"name": name, "scope": scope, "study": study, "token": token, "server": str(socket)},
            f"AAR_TOKEN={token}",
            f"AAR_SERVER={socket}",
        )


@app.command("list")
def list_(lab: Lab = None, json: Json = False) -> None:
    """Every token ever made, without its secret."""
    with run_command(json) as out:
        from aar.lab import tokens
        from aar.lab.store import Store

        store = Store(LabFolder.find(lab).database)
        store.migrate()
        rows = [
            {k: getattr(t, k) for k in ("id", "name", "scope", "study", "created", "revoked")}
            for t in tokens.listed(store)
        ]
        out.show(
            rows,
            table("Tokens", ["id", "name", "scope", "study", "created", "revoked"], [list(r.values()) for r in rows]),
        )


@app.command()
def revoke(id: str, lab: Lab = None, json: Json = False) -> None:
    """Make a token stop working, at once."""
    with run_command(json) as out:
        from aar.lab import tokens
        from aar.lab.store import Store

        store = Store(LabFolder.find(lab).database)
        store.migrate()
        tokens.revoke(store, id)
        out.show({"revoked": id}, f"token {id} is revoked")
