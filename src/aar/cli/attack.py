"""Attack a lab: every known way to a better score than one has earned, with its defence on and off."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from aar.cli.console import Json, run_command, table
from aar.errors import Refused

app = typer.Typer()


@app.command()
def attack(
    names: Annotated[list[str] | None, typer.Argument(help="Attacks or families; all where none is named.")] = None,
    target: Annotated[str | None, typer.Option(help="A running lab (URL or socket); else one is made.")] = None,
    token: Annotated[str | None, typer.Option(help="A researcher's token on the target; else $AAR_TOKEN.")] = None,
    problem: Annotated[str, typer.Option(help="A problem of the target.")] = "code",
    redraws: Annotated[int | None, typer.Option(min=2, help="Draws of the labels a gain is a mean of.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few redraws: wider bounds, and they are printed.")] = False,
    known: Annotated[bool, typer.Option("--list", help="Print what there is and attack nothing.")] = False,
    write: Annotated[Path | None, typer.Option(help="Write the table as Markdown, too.")] = None,
    json: Json = False,
) -> None:
    """Attack a lab made for it, or a running one with nothing but a token. Exit 1 where anything succeeded."""
    with run_command(json) as out:
        from aar.attacks.field import campaign, report
        from aar.attacks.field.ground import Outside

        wanted = campaign.chosen(names or [], remote=target is not None)
        if known:
            rows = [(a.family, a.name, a.what) for a in wanted]
            out.show([{"family": f, "name": n, "what": w} for f, n, w in rows],
                     table("Attacks and controls", ["family", "name", "what it does"], rows))  # fmt: skip
            return
        secret = token or os.environ.get("AAR_TOKEN")
        if target and not secret:
            raise Refused("no token for the target", code="no_token", hint="--token or AAR_TOKEN")
        aimed = (Outside(target, secret or ""), problem) if target else None
        draws = redraws or (campaign.QUICK if quick else campaign.FULL)
        found = []
        for outcome in campaign.run(wanted, redraws=draws, target=aimed, say=out.say):
            found.append(outcome)
            out.say(f"  {outcome.result}: {outcome.by or '-'} ({outcome.seconds:.0f} s)")
        how = f"{len(found)} attacks and controls, {draws} redraws of the labels:"
        if draws < campaign.FULL:
            how = f"A quick run, whose bounds are wider than a full run's. {how}"
        if write:
            report.write(write, found, how)
        cells = [
            (o.name, _works(o.works_undefended), o.result, o.by, report.gain_of(o), o.queries, f"{o.seconds:.0f}")
            for o in found
        ]
        columns = ["attack", "works undefended", "result", "by", "gain, points", "queries", "s"]
        out.show({"redraws": draws, "attacks": [o.as_json() for o in found]}, table(how, columns, cells))
        if any(o.bad for o in found):
            raise typer.Exit(1)


def _works(known: bool | None) -> str:
    return {True: "yes", False: "no", None: ""}[known]
