"""Repeat a verdict: run a verified submission again on the same seeds and compare (the owner's)."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import typer

from aar.cli.console import Json, Lab, run_command
from aar.errors import InputError
from aar.settings import LabFolder

GPU_TOLERANCE = 0.005  # of mean accuracy: a GPU adds in another order each time

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
            again, tolerance = _again(folder, row, len(exact["seeds"]))
        splits = [k for k in ("test", "ood") if exact[k]]
        same = all(again[k] and abs(again[k]["acc"]["mean"] - exact[k]["acc"]["mean"]) <= tolerance for k in splits)
        same = same and again["seeds"] == exact["seeds"]
        verdict = f"the same verdict, {f'within {tolerance}' if tolerance else 'to the last digit'}"
        out.show(
            {"submission": submission, "same": same, "tolerance": tolerance, "verdict": exact, "again": again},
            f"submission {submission}: {verdict if same else 'ANOTHER verdict'} "
            f"(accuracy {exact['test']['acc']['mean']:.6f}, again {again['test']['acc']['mean']:.6f})",
        )
        if not same:
            raise typer.Exit(1)


def _again(folder: LabFolder, row: dict[str, Any], seeds: int) -> tuple[dict[str, Any], float]:
    """The verdict's figures of now, by the workers' rules, and how far off the mean may be."""
    from aar.lab.codestore import CodeStore
    from aar.lab.worker import rules_of
    from aar.sandboxes import available
    from aar.scoring.problem import Problem
    from aar.scoring.rerun import rerun

    files = CodeStore(folder.code_store).get(row["snapshot"])
    rules = replace(rules_of(os.environ), seeds=seeds)
    again = rerun(folder, available(), Problem.parse(row["problem"]), str(row["id"]), files, rules)
    return again.as_json(), GPU_TOLERANCE if rules.limits.gpus else 0.0
