"""Serve a lab: the score service, forum, code store and its rerun workers, until Ctrl-C."""

from __future__ import annotations

import os
import threading
import time
from typing import Annotated

import typer

from aar.cli.console import Json, Lab, run_command
from aar.settings import LabFolder

app = typer.Typer()


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="Also listen on 127.0.0.1:PORT (0: any free one).")] = None,
    workers: Annotated[int, typer.Option(help="Reruns at a time.", min=0)] = 1,
    lab: Lab = None,
    json: Json = False,
) -> None:
    """Serve a lab: the score service, forum, code store and its rerun workers, until Ctrl-C."""
    with run_command(json) as out:
        from aar.lab.service import serve as run

        folder = LabFolder.find(lab)
        _leave_with_parent()
        out.say(f"serving {folder.root}; sockets in {folder.sockets}; stop with Ctrl-C")
        run(folder, port, workers)
        out.show({"stopped": str(folder.root)}, "stopped")


def _leave_with_parent() -> None:
    """A server that a command started for itself must not outlive that command, however it ends."""
    if parent := os.environ.get("AAR_PARENT"):
        threading.Thread(target=_watch, args=(int(parent),), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), 15)
