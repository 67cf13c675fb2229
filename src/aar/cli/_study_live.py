"""Commands of `aar study` for while it runs, or after: what it costs, what a researcher did, and changing its budget."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import typer

from aar.cli.console import Json, Lab, run_command, table
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
