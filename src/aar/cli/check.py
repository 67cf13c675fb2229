"""Run the integrity checks on a submission: altered reruns, findings with evidence, its board (the owner's)."""

from __future__ import annotations

from typing import Annotated

import typer

from aar.cli.console import Json, Lab, run_command, table
from aar.settings import LabFolder

app = typer.Typer()


@app.command()
def check(
    submission: int,
    seeds: Annotated[
        int, typer.Option(min=1, max=16, help="Runs on each altered task; the verdict's number looks the same.")
    ] = 5,
    lab: Lab = None,
    json: Json = False,
) -> None:
    """Run the integrity checks on a submission that has a verdict (the owner's). Nothing is decided: a flag sends it to
    `aar review`."""
    with run_command(json) as out:
        from aar.lab.promotion import promote
        from aar.lab.scorer import GateScorer
        from aar.lab.services import open_lab
        from aar.scoring.rerun import RerunRules

        folder = LabFolder.find(lab)
        opened = open_lab(folder, lambda store: GateScorer(folder, store))
        try:
            with out.progress(f"checking submission {submission}: ten reruns or more"):
                report = promote(opened, "owner", submission, RerunRules(seeds=seeds))
        finally:
            opened.close()
        cells = [(f.level, f.label, f.says, f.look) for f in report.findings]
        out.show(
            {"submission": submission, **report.as_json()},
            table(
                f"Submission {submission}: {report.board or 'no board measured'}",
                ["", "suggests", "found", "look"],
                cells,
            ),
        )
