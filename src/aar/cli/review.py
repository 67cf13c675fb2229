"""Reviews: what waits for a person's decision, and deciding."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from aar.cli.console import Json, Lab, run_command, table
from aar.settings import LabFolder

app = typer.Typer(no_args_is_help=True)
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept and shown.")]


def _call(lab: Any, method: str, path: str, body: Any = None, query: Any = None) -> Any:
    """As the reviewer whose token is in AAR_TOKEN, else as the owner."""
    from aar.lab.service import running
    from aar.task.client import LabClient

    with running(LabFolder.find(lab), workers=0) as owner:
        token = os.environ.get("AAR_TOKEN")
        client = LabClient(owner.where, token) if token else owner
        return client.call(method, path, body, query)


@app.command("list")
def list_(
    state: Annotated[str, typer.Option(help="pending_review, verified or disqualified.")] = "pending_review",
    lab: Lab = None,
    json: Json = False,
) -> None:
    """What waits for a decision, with its evidence and what other reviewers decided."""
    with run_command(json) as out:
        rows = _call(lab, "GET", "reviews", query={"state": state})
        cells = [
            (
                r["submission"],
                r["problem"],
                r["method"],
                r["researcher"],
                r["state"] + ", disputed" * r["disputed"],
                "; ".join(f"{v['reviewer']}: {v['decision']} ({v['reason']})" for v in r["reviews"]),
            )
            for r in rows
        ]
        out.show(rows, table("Reviews", ["submission", "problem", "method", "researcher", "state", "decisions"], cells))


def _decide(lab: Any, json: bool, submission: int, decision: str, reason: str) -> None:
    with run_command(json) as out:
        made = _call(lab, "POST", "reviews", {"submission": submission, "decision": decision, "reason": reason})
        out.show(made, f"submission {submission}: {decision} by {made['reviewer']}")


@app.command()
def approve(submission: int, reason: Reason, lab: Lab = None, json: Json = False) -> None:
    """Put a submission on the board."""
    _decide(lab, json, submission, "approve", reason)


@app.command()
def disqualify(submission: int, reason: Reason, lab: Lab = None, json: Json = False) -> None:
    """Take a submission off the board; everything that builds on it is marked."""
    _decide(lab, json, submission, "disqualify", reason)


@app.command()
def reinstate(submission: int, reason: Reason, lab: Lab = None, json: Json = False) -> None:
    """Take a disqualification back: the submission returns to the board, and what was marked for it is unmarked."""
    _decide(lab, json, submission, "reinstate", reason)
