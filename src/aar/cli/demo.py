"""A whole study on real language models: nine researchers narrow a weak-to-strong gap. No key, no GPU, no network."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import typer

from aar.cli.console import Json, Lab, Output, run_command, table
from aar.errors import Conflict
from aar.researchers.base import Llm
from aar.settings import EMBEDDED_TESTBEDS, LabFolder

app = typer.Typer()
NAME = "demo"
NAME_MOST = 20  # characters; a number may follow
BASELINE_SEEDS = 5
TRIAL_SEEDS = 2
RERUNS_AT_ONCE = 2  # most are handed in at the end, when nothing else runs
TRANSFER_ROWS = (160, 400, 300, 60, 40)  # labeled, unlabeled, test, private, OOD: a demo only transfers to these


@dataclass(frozen=True)
class Scale:
    """`testbeds`: the first is worked on, the others are for transfer. `trials` and `wall_s` of each researcher."""

    testbeds: tuple[str, ...]
    arms: tuple[tuple[str, int], ...]
    trials: int
    wall_s: float
    name: str = NAME
    llm: Llm = field(default_factory=Llm)


FULL = Scale(EMBEDDED_TESTBEDS, (("search", 6), ("random", 3)), trials=12, wall_s=900)
SMALL = Scale(EMBEDDED_TESTBEDS[:1], (("search", 2), ("random", 1)), trials=5, wall_s=600, name=f"{NAME}-small")


@app.command()
def demo(
    small: Annotated[bool, typer.Option("--small", help="3 researchers, 15 configurations, one testbed.")] = False,
    researchers: Annotated[
        str,
        typer.Option(help="Others than search and random, as ARM or ARM:COUNT with commas, e.g. inspect:3,search:2."),
    ] = "",
    model: Annotated[str, typer.Option(help="What LLM researchers think with, as Inspect names it.")] = "scripted",
    usd: Annotated[float, typer.Option(min=0, help="Dollars that each of them may never pass.")] = 2.0,
    lab: Lab = None,
    json: Json = False,
) -> None:
    """A whole study on real language models: nine researchers narrow a weak-to-strong gap. No key, no GPU, no network."""
    with run_command(json) as out:
        from aar.executors.memory import PeakMemory

        start, folder, scale = time.monotonic(), LabFolder.find(lab), SMALL if small else FULL
        if researchers:
            scale = _with_team(folder, scale, researchers, Llm(model, usd=usd))
        with PeakMemory() as peak:
            for name in scale.testbeds:
                _measure(out, folder, name, transfer=name != scale.testbeds[0])
            study = _research(out, folder, scale)
            result = _finish(out, folder, study)
        result |= {"seconds": round(time.monotonic() - start, 1), "peak_memory_mb": round(peak.mb)}
        result["claims"] = _claims(folder, study)
        result |= _report(out, folder, study, result)
        out.show(result, *_lines(result))


def _with_team(folder: LabFolder, scale: Scale, wanted: str, llm: Llm) -> Scale:
    """This team in the place of search and random. Says what an LLM arm lacks before anything is built."""
    from aar.cli.study import parse_arms
    from aar.researchers.llm import given
    from aar.researchers.llm.prices import Prices

    arms = parse_arms(wanted.split(","), each=2 if scale.name != NAME else 3)
    for arm, _ in arms:
        if arm in given.LLM_ARMS:
            given.ready(arm, llm, Prices(folder.prices))
    name = "-".join([scale.name, *(arm for arm, _ in arms)])[:NAME_MOST]
    return replace(scale, arms=tuple(arms), name=name, llm=llm)


def _measure(out: Output, folder: LabFolder, name: str, *, transfer: bool) -> None:
    """Build the testbed, measure floor and ceiling, run the human baselines. What is there already is left alone."""
    from aar.cli.progress import feature_progress
    from aar.scoring.baselines import Line, human_methods, run_baselines, saved
    from aar.scoring.prepare import prepare
    from aar.scoring.problem import Problem
    from aar.testbeds.build import build
    from aar.testbeds.split import Sizes

    if not folder.testbed(name).exists():
        with out.progress(f"building testbed {name}"):
            build(folder, name, Sizes(*TRANSFER_ROWS) if transfer else None)
    problem = Problem.parse(name)
    with feature_progress(out) as progress:
        card = prepare(folder, problem, progress=progress)
    if saved(folder, problem).exists():
        return
    with out.progress(f"human baselines on {name}"):
        lines: list[Line] = run_baselines(folder, problem, human_methods(), range(BASELINE_SEEDS))
    cells = [(line.method, f"{r['acc']['mean']:.3f}", _pgr(r)) for line in lines if (r := line.result)]
    if not out.json and card.ceiling:
        title = f"{name}: floor {card.floor['mean']:.3f}, ceiling {card.ceiling['mean']:.3f}"
        out.show(None, table(title, ["method", "accuracy", "PGR [95 % interval]"], cells))


def _pgr(result: dict[str, Any]) -> str:
    pgr = result["pgr"]
    return f"{pgr['mean']:.3f} [{pgr['lo']:.3f}, {pgr['hi']:.3f}]" if pgr else f"not scored: {result['not_scored']}"


def _research(out: Output, folder: LabFolder, scale: Scale) -> str:
    """The study, or what is left of one that was interrupted."""
    from aar.cli.study import watching
    from aar.researchers import starts
    from aar.studies.runner import run_study
    from aar.studies.spec import StudyFolder, StudySpec, team

    name = _name(folder, scale)
    people = team(name, scale.arms, starts.names())
    spec = StudySpec(
        name,
        scale.testbeds[0],
        people,
        scale.wall_s,
        scale.trials,
        seeds=TRIAL_SEEDS,
        workers=RERUNS_AT_ONCE,
        transfer=scale.testbeds[1:],
        llm=scale.llm,
    )
    StudyFolder(folder, name).create(spec)
    with watching(out, folder, spec) as hear:
        ended = run_study(folder, name, hear)
    if not ended.complete:
        raise Conflict("stopped by you", code="stopped", hint="the same command goes on where it was")
    return name


def _name(folder: LabFolder, scale: Scale) -> str:
    """demo, or demo-2 and so on: the first whose private rows were not opened yet."""
    from aar.studies.spec import StudyFolder

    number = 1
    while StudyFolder(folder, name := scale.name if number == 1 else f"{scale.name}-{number}").result.exists():
        number += 1
    return name


def _finish(out: Output, folder: LabFolder, study: str) -> dict[str, Any]:
    from aar.studies.finalize import finalize

    with out.progress("opening the private rows; the best two methods run on the testbeds nobody has seen"):
        return finalize(folder, study, lambda event: out.say(event.text))


def _report(out: Output, folder: LabFolder, study: str, result: dict[str, Any]) -> dict[str, Any]:
    """The report's path, and what the models cost. The study's own record of its result is told the costs of the demo."""
    from aar.analysis.report import write_report
    from aar.lab.service import running
    from aar.studies.spec import StudyFolder, write_private

    write_private(StudyFolder(folder, study).result, result)
    with out.progress("writing the report"), running(folder, workers=0) as owner:
        lines = owner.call("GET", "ledger", query={"study": study})
        spent = {key: round(sum(line[key] for line in lines), 4) for key in ("tokens_in", "tokens_out", "usd")}
        return {"report": str(write_report(folder, study, owner)), "spent": spent}


def _claims(folder: LabFolder, study: str) -> list[str]:
    """The report's sentences: each says what its interval carries, search against random among them."""
    from aar.analysis.content import claims
    from aar.analysis.material import gather

    return [claim.text for claim in claims(gather(folder, study, None))]


def _lines(result: dict[str, Any]) -> list[str]:
    spent = result["spent"]
    return [
        f"{result['researchers']} researchers, {result['trials']} trials of {result['configurations']} configurations, "
        f"{result['evaluations']} evaluations, {result['submissions']} submissions on {result['problem']}",
        *result["claims"],
        *(
            [f"models: {spent['tokens_in']:,} tokens in, {spent['tokens_out']:,} out, ${spent['usd']:.2f}"]
            if spent["usd"]
            else []
        ),
        f"done in {result['seconds']:.0f} s with {result['peak_memory_mb']} MB at most; report: {result['report']}",
    ]
