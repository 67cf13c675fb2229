"""Speed of the lab on this machine, each figure beside a plainer way to do the same."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from aar.cli.console import Json, Lab, run_command, table
from aar.settings import LabFolder

app = typer.Typer()


@app.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Benches to run, or `all`; none: list them.")] = None,
    lab: Lab = None,
    json: Json = False,
) -> None:
    """List the benches, or run some: figures, and how many times faster than a named baseline in the same run."""
    with run_command(json) as out:
        from aar.bench.base import benches

        if not names:
            about = {name: (run.__doc__ or "").partition("\n")[0] for name, run in benches}
            out.show(about, table("Benches", ["name", "what it measures"], list(about.items())))
            return
        chosen = {name: benches.get(name) for name in (benches.names() if names == ["all"] else names)}
        found = {name: run(LabFolder.find(lab), out.say) for name, run in chosen.items()}
        data = {name: [figure.as_json() for figure in figures] for name, figures in found.items()}
        columns = ["bench", "figure", "value", "unit", "target", "baseline", "its value", "times faster"]
        out.show(data, table("Benches", columns, [_row(name, f) for name, figures in data.items() for f in figures]))


def _row(name: str, f: dict[str, Any]) -> tuple[Any, ...]:
    numbers = {
        k: None if f[k] is None else f"{f[k]:,.3g}" if f[k] < 1000 else f"{f[k]:,.0f}"
        for k in ("value", "target", "against")
    }
    ratio = f["times_faster"] and f"{f['times_faster']:.2f}"
    return (
        name,
        f["what"],
        numbers["value"],
        f["unit"],
        numbers["target"],
        f["baseline"] or None,
        numbers["against"],
        ratio,
    )
