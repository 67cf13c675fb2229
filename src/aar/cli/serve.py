"""Serve a lab: the score service, forum, code store and its rerun workers, until Ctrl-C."""

from __future__ import annotations

from typing import Annotated

import typer

from aar.cli.console import Json, Lab, run_command
from aar.settings import LabFolder

app = typer.Typer()


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="Also listen on 127.0.0.1:PORT (0: any free one).")] = None,
    workers: Annotated[int, typer.Option(help="Reruns at a time.", min=0)] = 1,
    lock: Annotated[int | None, typer.Option(hidden=True, help="The lab's lock, taken by whoever starts this.")] = None,
    lab: Lab = None,
    json: Json = False,
) -> None:
    """Serve a lab: the score service, forum, code store and its rerun workers, until Ctrl-C."""
    with run_command(json) as out:
        from aar.lab.locks import server_lock
        from aar.lab.service import serve as run

        folder = LabFolder.find(lab)
        out.say(f"serving {folder.root}; sockets in {folder.sockets}; stop with Ctrl-C")
        run(folder, port, workers, None if lock is None else server_lock(folder, lock))
        out.show({"stopped": str(folder.root)}, "stopped")
