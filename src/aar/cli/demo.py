"""A weak-to-strong gap on real language models, measured and narrowed, end to end. No key, no GPU, no network."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import typer

from aar.cli.console import Json, Lab, Output, run_command, table
from aar.settings import EMBEDDED_TESTBEDS, LabFolder

app = typer.Typer()
RESEARCHER = "demo"


@app.command()
def demo(lab: Lab = None, json: Json = False) -> None:
    """A weak-to-strong gap on real language models, measured and narrowed, end to end. No key, no GPU, no network."""
    with run_command(json) as out:
        start, folder = time.monotonic(), LabFolder.find(lab)
        problems = [_measure(out, folder, name) for name in EMBEDDED_TESTBEDS]
        verdict = _submit(out, folder, EMBEDDED_TESTBEDS[0])
        data = {"problems": problems, "verified": verdict, "seconds": round(time.monotonic() - start, 1)}
        out.show(data, f"done in {data['seconds']:.0f} s; the lab is {folder.root}")


def _measure(out: Output, folder: LabFolder, name: str) -> dict[str, Any]:
    """Build the testbed, measure floor and ceiling, run the human baselines."""
    from aar.cli.progress import feature_progress
    from aar.scoring.baselines import human_methods, run_baselines
    from aar.scoring.prepare import prepare
    from aar.scoring.problem import Problem
    from aar.testbeds.build import build

    with out.progress(f"building testbed {name}"):
        build(folder, name)
    problem = Problem.parse(name)
    with feature_progress(out) as progress:
        card = prepare(folder, problem, progress=progress)
    with out.progress(f"human baselines on {name}"):
        lines = run_baselines(folder, problem, human_methods(), range(5))
    assert card.ceiling
    cells = [(line.method, f"{r['acc']['mean']:.3f}", _pgr(r)) for line in lines if (r := line.result)]
    if not out.json:
        out.show(None, table(f"{name}: floor {card.floor['mean']:.3f}, ceiling {card.ceiling['mean']:.3f}",
                             ["method", "accuracy", "PGR [95 % interval]"], cells))
    return {"problem": problem.name, "floor": card.floor, "ceiling": card.ceiling, "methods": [line.__dict__ for line in lines]}


def _pgr(result: dict[str, Any]) -> str:
    pgr = result["pgr"]
    return f"{pgr['mean']:.3f} [{pgr['lo']:.3f}, {pgr['hi']:.3f}]" if pgr else f"not scored: {result['not_scored']}"


def _submit(out: Output, folder: LabFolder, problem: str) -> dict[str, Any]:
    """One method, the way a stranger would hand it in: a token, a snapshot, a rerun in the sandbox."""
    from aar.cli.submit import describe
    from aar.lab import tokens
    from aar.lab.service import running
    from aar.lab.store import Store
    from aar.methods import library
    from aar.task.client import LabClient

    with running(folder) as owner, out.progress("a submission is rerun in the sandbox on the lab's own seeds"):
        token = tokens.create(Store(folder.database), RESEARCHER)
        client = LabClient(owner.where, token)
        method = Path(library.source_file("confident"))
        with _as_folder(method) as place:
            row = client.wait(client.submit(problem, "confident", place)["id"])
    out.say(describe(row)[0])
    return row


def _as_folder(method: Path) -> Any:
    import contextlib
    import shutil
    import tempfile

    @contextlib.contextmanager
    def made() -> Any:
        with tempfile.TemporaryDirectory() as place:
            shutil.copyfile(method, Path(place) / "method.py")
            yield place

    return made()
