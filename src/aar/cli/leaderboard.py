"""The board of a problem: verified submissions and the baselines."""

from __future__ import annotations

import typer

from aar.cli.console import Json, Lab, run_command, table
from aar.settings import LabFolder

app = typer.Typer()


@app.command()
def leaderboard(problem: str, lab: Lab = None, json: Json = False) -> None:
    """The board of a problem: verified submissions and the baselines."""
    with run_command(json) as out:
        from aar.lab.service import running

        with running(LabFolder.find(lab), workers=0) as client:
            board = client.leaderboard(problem)
        columns = ["rank", "kind", "name", "researcher", "pgr", "accuracy", "error", "status", "submission"]
        out.show(
            board, table(f"Leaderboard: {board['problem']}", columns, [[r[c] for c in columns] for r in board["rows"]])
        )
