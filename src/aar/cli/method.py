"""The library of methods: list, show, start a new one from another, run one and score it."""

from __future__ import annotations

import json as jsonlib
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from aar.cli.console import Json, Lab, Output, run_command, table
from aar.errors import InputError
from aar.settings import LabFolder

app = typer.Typer(no_args_is_help=True)


def parse_seeds(text: str) -> list[int]:
    """`0-4`, `0,3,7` or a mix, as a list."""
    try:
        parts = [part.split("-") for part in text.split(",")]
        seeds = [s for p in parts for s in (range(int(p[0]), int(p[-1]) + 1))]
    except ValueError:
        seeds = []
    if not seeds:
        raise InputError(f"{text!r} names no seeds", code="bad_seeds", hint="for example: --seeds 0-4 or --seeds 0,3,7")
    return seeds


def parse_params(pairs: list[str]) -> dict[str, Any]:
    """`name=value` flags; values are read as JSON where they are JSON (numbers, true, lists), else as text."""
    params = {}
    for pair in pairs:
        name, eq, value = pair.partition("=")
        if not eq:
            raise InputError(f"{pair!r} is not NAME=VALUE", code="bad_parameter", hint="for example: -p threshold=0.8")
        try:
            params[name] = jsonlib.loads(value)
        except ValueError:
            params[name] = value
    return params


@app.command("list")
def list_(json: Json = False) -> None:
    """Every method of the library: family, what it needs, where it is from."""
    from aar.methods import library

    with run_command(json) as out:
        cards = {name: library.card(name) for name in library.methods()}
        rows = [(n, c.family, ", ".join(c.inputs), "yes" if c.human else "", c.cost, c.summary) for n, c in cards.items()]
        out.show([{"name": n, **c.__dict__} for n, c in cards.items()],
                 table("Methods", ["name", "family", "needs", "human baseline", "cost", "what it does"], rows))


@app.command()
def show(name: str, json: Json = False) -> None:
    """One method: source, formula, parameters with their defaults."""
    from aar.methods import library

    with run_command(json) as out:
        card = library.card(name)
        out.show({"name": name, **card.__dict__},
                 f"{name}: {card.summary}", f"  source   {card.source}", f"  formula  {card.formula or '-'}",
                 f"  needs    {', '.join(card.inputs)}", f"  defaults {jsonlib.dumps(card.defaults)}",
                 f"  code     {library.source_file(name)}")


@app.command()
def new(name: str, from_: Annotated[str, typer.Option("--from", help="Method to start from.")] = "vanilla",
        json: Json = False) -> None:
    """A method folder of your own, NAME/method.py, copied from a method of the library."""
    from aar.methods import library

    with run_command(json) as out:
        folder, source = Path(name), library.source_file(from_)
        if folder.exists():
            raise InputError(f"{folder} exists already", code="exists", hint="choose another name")
        folder.mkdir(parents=True)
        shutil.copyfile(source, folder / "method.py")
        out.show({"folder": str(folder)}, f"wrote {folder}/method.py; next: aar submit {folder} --problem code")


@app.command()
def run(
    method: str,
    problem: str,
    seeds: Annotated[str, typer.Option(help="Seeds: 0-4 or 0,3,7.")] = "0-4",
    param: Annotated[list[str], typer.Option("--param", "-p", help="Hyper-parameter NAME=VALUE; repeat.")] = [],  # noqa: B006
    lab: Lab = None,
    json: Json = False,
) -> None:
    """Run a library method on a problem and score it on the interactive rows (the owner's exact figures)."""
    with run_command(json) as out:
        from aar.cli.progress import feature_progress
        from aar.scoring.problem import Problem
        from aar.scoring.trial import run_trial

        where, named = LabFolder.find(lab), Problem.parse(problem)
        wanted, params = parse_seeds(seeds), parse_params(param)
        out.say(f"{method} on {named.short}, {len(wanted)} seeds ...")
        with feature_progress(out) as progress:
            result = run_trial(where, named, method, wanted, params=params, progress=progress)
        data = result.as_json()
        out.show(data, *_as_text(out, data))


def _as_text(out: Output, data: dict[str, Any]) -> list[Any]:
    pgr = data["pgr"]
    scored = f"{pgr['mean']:.3f} [{pgr['lo']:.3f}, {pgr['hi']:.3f}]" if pgr else f"not scored: {data['not_scored']}"
    subsets = [(k, v["n"], v["acc"], v["floor"], v["ceiling"], v["pgr"] and v["pgr"]["mean"])
               for k, v in data["by_subset"].items()]
    ceiling = data["ceiling"] and f"{data['ceiling']['mean']:.3f}"
    lines: list[Any] = [f"{data['method']} on {data['problem']}: accuracy {data['acc']['mean']:.3f}, PGR {scored}",
                        f"  floor {data['floor']['mean']:.3f}, ceiling {ceiling}, {data['seconds']:.1f} s"]
    return lines + ([table("By subset", ["subset", "n", "acc", "floor", "ceiling", "pgr"], subsets)] if subsets else [])
