"""The library of methods: list, show, start a new one from another, run one and score it."""

from __future__ import annotations

import json as jsonlib
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from aar.cli import method_table
from aar.cli.console import Json, Lab, Output, run_command, table
from aar.cli.flags import parse_params, parse_seeds, parse_sweep
from aar.errors import InputError
from aar.settings import LabFolder

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(
    family: Annotated[str | None, typer.Option(help="Only this family.")] = None,
    needs: Annotated[list[str], typer.Option(help="Only methods that need this input; repeat.")] = [],  # noqa: B006
    without: Annotated[list[str], typer.Option(help="Only methods that do without this input; repeat.")] = [],  # noqa: B006
    on: Annotated[str | None, typer.Option(help="Only methods that run on this problem and its student.")] = None,
    lab: Lab = None,
    json: Json = False,
) -> None:
    """Every method of the library: family, what it needs, best known result, which students can run it."""
    with run_command(json) as out:
        from aar.analysis.method_pages import best_known, known_results
        from aar.methods import library
        from aar.methods.card import FAMILIES, WHAT_IT_IS

        for given, known in (([family] if family else [], FAMILIES), ([*needs, *without], tuple(WHAT_IT_IS))):
            if unknown := [g for g in given if g not in known]:
                raise InputError(f"{unknown[0]!r} is not known", code="bad_filter", hint=f"known: {', '.join(known)}")
        offer, results = _offer(LabFolder.find(lab), on) if on else None, known_results()
        cards = {
            n: c
            for n, c in ((n, library.card(n)) for n in library.methods())
            if family in (None, c.family)
            and set(needs) <= set(c.inputs)
            and not set(without) & set(c.inputs)
            and (offer is None or not c.missing(*offer))
        }
        rows = [
            (
                n,
                c.family,
                ", ".join(c.inputs),
                c.student,
                best_known(results, n),
                "yes" if c.human else "",
                c.cost,
                c.summary,
            )
            for n, c in cards.items()
        ]
        columns = ["name", "family", "needs", "student", "best known PGR", "human", "cost", "what it does"]
        out.show(
            [
                {"name": n, **c.__dict__, "student": c.student, "best_known": best_known(results, n)}
                for n, c in cards.items()
            ],
            table(f"{len(cards)} methods", columns, rows),
        )


def _offer(lab: LabFolder, problem: str) -> tuple[Any, Any, Any]:
    """(abilities of its student, kind, what else there is) of a prepared problem."""
    from aar.scoring.prepare import student_of
    from aar.scoring.problem import Card, Problem

    named = Problem.parse(problem)
    card = Card.load(lab, named)
    has = {"weak"} | ({"weak_model"} if (lab.problem(named.name) / "heads" / "0.safetensors").exists() else set())
    return student_of(lab, named, card.kind, sealed=False).can, card.kind, has


@app.command()
def show(name: str, json: Json = False) -> None:
    """One method: formula, source, departures, parameters with their defaults, what was measured."""
    with run_command(json) as out:
        from aar.analysis.method_pages import figure, known_results
        from aar.methods import library

        card, results = library.card(name), known_results()
        measured = (results or {"methods": {}})["methods"].get(name, {"problems": {}})["problems"]
        lines = (
            {results["problems"][p]["short"]: figure(v["pgr"]) for p, v in measured.items() if v.get("pgr")}
            if results
            else {}
        )
        told = {
            "formula": card.formula,
            "source": card.source,
            "departs": card.departs,
            "needs": ", ".join(card.inputs),
            "student": card.student,
            "defaults": jsonlib.dumps(card.defaults),
            "tried too": jsonlib.dumps(card.grid) if card.grid else "",
            "measured": "; ".join(f"{k} {v}" for k, v in lines.items()),
            "code": str(library.source_file(name)),
        }
        out.show(
            {"name": name, **card.__dict__, "student": card.student, "measured": measured},
            f"{name} ({card.family}): {card.summary}",
            *(f"  {k:10s}{v}" for k, v in told.items() if v),
        )


@app.command()
def new(
    name: str,
    from_: Annotated[str, typer.Option("--from", help="Method to start from.")] = "vanilla",
    json: Json = False,
) -> None:
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
    sweep: Annotated[
        list[str], typer.Option(help="NAME=V1,V2,...: run every value; repeat for all combinations.")
    ] = [],  # noqa: B006
    student: Annotated[
        str | None, typer.Option(help="Another student: lora, full, or a model's name with -lora or -full.")
    ] = None,
    rows: Annotated[int | None, typer.Option(min=2, help="Train on so many rows only.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs of a finetuned student.")] = None,
    lab: Lab = None,
    json: Json = False,
) -> None:
    """Run a library method on a problem and score it on the interactive rows (the owner's exact figures)."""
    with run_command(json) as out:
        from aar.cli.progress import feature_progress
        from aar.scoring.prepare import prepare
        from aar.scoring.problem import Problem
        from aar.scoring.trial import Cut, run_trial

        where, named = LabFolder.find(lab), Problem.parse(problem)
        wanted, params = parse_seeds(seeds), parse_params(param)
        named = named.with_student(student) if student else named
        settings = [params | setting for setting in parse_sweep(sweep)]
        out.say(
            f"{method} on {named.short}, {len(wanted)} seeds"
            + (f", {len(settings)} settings" if sweep else "")
            + " ..."
        )
        with feature_progress(out) as progress:
            if student:
                prepare(where, named, progress=progress)
            done = [
                run_trial(where, named, method, wanted, params=p, progress=progress, cut=Cut(rows, epochs)).as_json()
                for p in settings
            ]
        out.show(
            {"sweep": [{"params": p, **d} for p, d in zip(settings, done, strict=True)]} if sweep else done[0],
            *(_swept(settings, done) if sweep else _as_text(out, done[0])),
        )


def _swept(settings: list[dict[str, Any]], done: list[dict[str, Any]]) -> list[Any]:
    """One line a setting, best first. The best of many looks better than it is."""
    order = sorted(range(len(done)), key=lambda i: -done[i]["acc"]["mean"])
    lines = [
        (
            jsonlib.dumps(settings[i]),
            f"{d['acc']['mean']:.3f}",
            *(
                [f"{d['pgr']['mean']:.3f}", f"[{d['pgr']['lo']:.3f}, {d['pgr']['hi']:.3f}]"]
                if d["pgr"]
                else ["not scored", d["not_scored"]]
            ),
            f"{d['seconds']:.1f}",
        )
        for i in order
        for d in [done[i]]
    ]
    return [
        table(
            f"{done[0]['method']} on {done[0]['problem']}", ["setting", "accuracy", "PGR", "95 % interval", "s"], lines
        ),
        f"the best of {len(done)} on the rows that chose it: run it on another problem before you believe it",
    ]


def _as_text(out: Output, data: dict[str, Any]) -> list[Any]:
    pgr = data["pgr"]
    scored = f"{pgr['mean']:.3f} [{pgr['lo']:.3f}, {pgr['hi']:.3f}]" if pgr else f"not scored: {data['not_scored']}"
    subsets = [
        (k, v["n"], v["acc"], v["floor"], v["ceiling"], v["pgr"] and v["pgr"]["mean"])
        for k, v in data["by_subset"].items()
    ]
    ceiling = data["ceiling"] and f"{data['ceiling']['mean']:.3f}"
    lines: list[Any] = [
        f"{data['method']} on {data['problem']}: accuracy {data['acc']['mean']:.3f}, PGR {scored}",
        f"  floor {data['floor']['mean']:.3f}, ceiling {ceiling}, {data['seconds']:.1f} s",
    ]
    return lines + ([table("By subset", ["subset", "n", "acc", "floor", "ceiling", "pgr"], subsets)] if subsets else [])


app.command("table")(method_table.table_)
app.command()(method_table.docs)
