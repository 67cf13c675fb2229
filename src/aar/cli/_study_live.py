"""Commands of `aar study` for while it runs, or after: what it costs, what a researcher did, and changing its budget."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated, Any

import typer

from aar.cli.console import Json, Lab, run_command, table
from aar.errors import InputError, NotFound
from aar.settings import LabFolder

app = typer.Typer()


@app.command()
def cost(name: str, lab: Lab = None, json: Json = False) -> None:
    """What it has cost: tokens, dollars, and hours of wall clock, processor and GPU, by researcher."""
    with run_command(json) as out:
        from aar.studies.cost import costs

        lines = costs(LabFolder.find(lab), name)
        columns = ["researcher", "$", "$ open", "$ per hour", "requests", "tokens in", "cached", "tokens out"]
        columns += ["wall h", "CPU h", "GPU h", "rerun h"]
        out.show(
            [asdict(line) | {"usd_per_hour": line.usd_per_hour} for line in lines],
            table(f"{name}: what it has cost", columns, [_cost(line) for line in lines]),
        )


def _cost(c: Any) -> list[Any]:
    hours = [round(h, 3) for h in (c.wall_hours, c.cpu_hours, c.gpu_hours, c.rerun_hours)]
    who = "the study" if c.researcher is None else c.researcher or "(before it began)"
    return [who, c.usd, c.usd_open, c.usd_per_hour, c.requests, c.tokens_in, c.cached, c.tokens_out, *hours]


@app.command()
def retune(
    name: str,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Wall clock of each researcher, in all.")] = None,
    trials: Annotated[int | None, typer.Option(min=0)] = None,
    evaluations: Annotated[int | None, typer.Option(min=0)] = None,
    submissions: Annotated[int | None, typer.Option(min=0)] = None,
    usd: Annotated[float | None, typer.Option(min=0, help="Of a researcher.")] = None,
    usd_study: Annotated[float | None, typer.Option(min=0)] = None,
    usd_day: Annotated[float | None, typer.Option(min=0)] = None,
    model: Annotated[str | None, typer.Option(help="What LLM researchers think with from now on.")] = None,
    think: Annotated[str | None, typer.Option(help="The model behind think_hard.")] = None,
    direction: Annotated[str, typer.Option(help="A packaged name, none, or FILE.md.")] = "",
    researcher: Annotated[list[str] | None, typer.Option(help="Who gets the direction; all, if none is named.")] = None,
    lab: Lab = None,
    json: Json = False,
) -> None:
    """Change budgets, model or direction, also while it runs: it takes them up within a second."""
    with run_command(json) as out:
        from aar.studies.directions import DRAWN, choose
        from aar.studies.retune import retune as change
        from aar.studies.spec import StudyFolder

        given: dict[str, Any] = {"trials": trials, "evaluations": evaluations, "submissions": submissions, "usd": usd}
        given |= {"usd_study": usd_study, "usd_day": usd_day, "model": model, "think": think}
        given |= {"wall_s": None if minutes is None else minutes * 60}
        if direction == DRAWN:
            raise InputError("a direction is drawn when a study is written down", hint="--direction NAME or FILE.md")
        starts, words = choose([direction], list) if direction else ([""], {})
        changes = {key: value for key, value in given.items() if value is not None}
        folder = StudyFolder(LabFolder.find(lab), name)
        spec = change(folder, changes, starts[0], words.get(starts[0], ""), researcher or ())
        said = [
            *(f"{key} {value}" for key, value in changes.items()),
            *([f"direction {starts[0]}"] if direction else []),
        ]
        out.show(spec.as_json(), f"{name} from now on: {', '.join(said)}")


@app.command()
def transcript(
    name: str,
    researcher: str,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it is written. Ctrl-C ends it.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Do not cut long texts.")] = False,
    lab: Lab = None,
    json: Json = False,
) -> None:
    """What a researcher thought and did, as it was kept."""
    with run_command(json) as out:
        from aar.studies.spec import StudyFolder
        from aar.studies.transcript import MOST, entries

        folder = StudyFolder(LabFolder.find(lab), name)
        known = [member.name for member in folder.load().researchers]
        if researcher not in known:
            raise NotFound(f"no researcher {researcher[:60]!r} in {name}", hint=f"known: {', '.join(known)}")
        shown = 0
        while True:
            found = list(entries(folder.home(researcher), 10**9 if full else MOST))[shown:]
            shown += len(found)
            if json:
                return out.show([asdict(entry) for entry in found])
            out.show(None, *(f"[{entry.at:.1f}] {entry.who}\n{entry.text}\n" for entry in found))
            if not follow:
                return None
            time.sleep(1.0)
