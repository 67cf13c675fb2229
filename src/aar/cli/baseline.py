"""Floor, ceiling and the human-tuned baselines of a problem."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from aar.cli.console import Json, Lab, run_command, table
from aar.settings import LabFolder

app = typer.Typer(no_args_is_help=True)


@app.command()
def run(
    problem: str,
    seeds: Annotated[str, typer.Option(help="Seeds of each method: 0-4 or 0,3,7.")] = "0-4",
    baseline_seeds: Annotated[int, typer.Option(help="Seeds of floor and ceiling, 5 to 16.", min=5, max=16)] = 16,
    ceiling_seeds: Annotated[
        int | None, typer.Option(help="Seeds of the ceiling alone; a finetuned student's needs this.", min=2)
    ] = None,
    slow: Annotated[bool, typer.Option("--slow", help="Also the baselines that prompt the student (minutes).")] = False,
    subsets: Annotated[bool, typer.Option("--subsets", help="A table per subset too.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Measure floor and ceiling anew.")] = False,
    lab: Lab = None,
    json: Json = False,
) -> None:
    """Measure floor and ceiling (once) and print PGR with intervals of every human baseline."""
    with run_command(json) as out:
        from aar.cli.flags import parse_seeds
        from aar.cli.progress import feature_progress
        from aar.scoring.baselines import human_methods, run_baselines
        from aar.scoring.prepare import prepare
        from aar.scoring.problem import Problem

        where, named, wanted = LabFolder.find(lab), Problem.parse(problem), parse_seeds(seeds)
        with feature_progress(out) as progress:
            card = prepare(where, named, seeds=baseline_seeds, progress=progress, force=force, ceilings=ceiling_seeds)
            methods = human_methods(slow=slow)
            lines = run_baselines(where, named, methods, wanted, lambda m: out.say(f"{m} on {named.short}"), progress)
        data = {
            "problem": named.name,
            "rows": card.rows,
            "floor": card.floor,
            "ceiling": card.ceiling,
            "methods": [line.__dict__ for line in lines],
        }
        out.show(data, *_tables(named.short, data, subsets))


def _tables(name: str, data: dict[str, Any], subsets: bool) -> list[Any]:
    ceiling = data["ceiling"]
    head = (
        f"{name}: floor {_pm(data['floor'])}, ceiling {_pm(ceiling) if ceiling else 'not measured (no truth for the unlabeled rows, or a finetuned student without --ceiling-seeds)'}, "
        f"{data['rows']['test']} interactive rows"
    )
    rows = [_row(line["method"], line["result"], line["not_run"]) for line in data["methods"]]
    drawn: list[Any] = [table(head, ["method", "accuracy", "PGR", "95 % interval", "s"], rows)]
    if subsets:
        drawn += [
            table(
                f"{line['method']} by subset",
                ["subset", "n", "acc", "floor", "ceiling", "PGR"],
                [
                    (k, v["n"], v["acc"], v["floor"], v["ceiling"], v["pgr"] and v["pgr"]["mean"])
                    for k, v in line["result"]["by_subset"].items()
                ],
            )
            for line in data["methods"]
            if line["result"]
        ]
    return drawn


def _pm(value: dict[str, float]) -> str:
    return f"{value['mean']:.3f} ± {value['se']:.3f}"


def _row(method: str, result: dict[str, Any] | None, not_run: str) -> tuple[Any, ...]:
    if result is None:
        return (method, None, "not run", not_run, None)
    accuracy = f"{result['acc']['mean']:.3f}"
    if result["pgr"] is None:
        return (method, accuracy, "not scored", result["not_scored"], f"{result['seconds']:.1f}")
    p = result["pgr"]
    return (method, accuracy, f"{p['mean']:.3f}", f"[{p['lo']:.3f}, {p['hi']:.3f}]", f"{result['seconds']:.1f}")


@app.command("import")
def import_(file: Path, json: Json = False) -> None:
    """Published baselines of the reference study: PGR per method and testbed, recomputed from its accuracies."""
    with run_command(json) as out:
        from aar.scoring.metrics import score_as_json
        from aar.scoring.reference import read_reference

        lines = [{**asdict(b), "pgr": score_as_json(b.pgr)} for b in read_reference(file)]
        cells = [(b["testbed"], b["method"], _figure(b["pgr"]), f"± {b['se']:.3f}", b["seeds"]) for b in lines]
        out.show(lines, table("Published baselines", ["testbed", "method", "PGR", "SE", "seeds"], cells))


def _figure(score: float | dict[str, str]) -> str:
    return f"not scored: {score['not_scored']}" if isinstance(score, dict) else f"{score:.3f}"
