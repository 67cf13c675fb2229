"""Repeat a verdict: run a verified submission again on the same seeds and compare (the owner's)."""

from __future__ import annotations

from typing import Any

import typer

from aar.cli.console import Json, Lab, run_command
from aar.errors import InputError
from aar.settings import LabFolder

app = typer.Typer()


@app.command()
def verify(submission: int, lab: Lab = None, json: Json = False) -> None:
    """Repeat a verdict: run a verified submission again on the same seeds and compare (the owner's)."""
    with run_command(json) as out:
        from aar.lab.service import running

        folder = LabFolder.find(lab)
        with running(folder, workers=0) as owner:
            told = owner.call("GET", f"submissions/{submission}/exact")  # an audit entry, like every look
        row, exact = told["submission"], told["exact"]
        if not exact or "test" not in exact:
            raise InputError(f"submission {submission} is {row['state']}; only one with a verdict can be repeated")
        with out.progress(f"rerunning submission {submission}"):
            again = _again(folder, row)
        same = all(again[k] and again[k]["acc"] == exact[k]["acc"] for k in ("test", "ood") if exact[k])
        same = same and again["seeds"] == exact["seeds"]
        out.show(
            {"submission": submission, "same": same, "verdict": exact, "again": again},
            f"submission {submission}: {'the same verdict, to the last digit' if same else 'ANOTHER verdict'} "
            f"(accuracy {exact['test']['acc']['mean']:.6f}, again {again['test']['acc']['mean']:.6f})",
        )
        if not same:
            raise typer.Exit(1)


def _again(folder: LabFolder, row: dict[str, Any]) -> dict[str, Any]:
    from aar.lab.codestore import CodeStore
    from aar.sandboxes import available
    from aar.scoring.problem import Problem
    from aar.scoring.rerun import rerun

    files = CodeStore(folder.code_store).get(row["snapshot"])
    return rerun(folder, available(), Problem.parse(row["problem"]), str(row["id"]), files).as_json()
