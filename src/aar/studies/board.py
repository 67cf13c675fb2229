"""The human baselines on the public board, so that everybody sees what is to be beaten.

Their methods are public, so an exact figure would be a free and exact answer: PGR is given on the Ladder's grid alone.
"""

from __future__ import annotations

import contextlib
import json

from aar.lab.leaderboard import set_baseline
from aar.lab.scorer import GateScorer
from aar.lab.services import open_lab
from aar.scoring.baselines import saved
from aar.scoring.ladder import step_for
from aar.scoring.problem import Card, Problem
from aar.settings import LabFolder


def publish_baselines(lab: LabFolder, problem: Problem) -> int:
    """Put the lines of the last baseline table on the board. Returns how many; 0 where there is no table."""
    card, path = Card.load(lab, problem), saved(lab, problem)
    if not path.exists() or card.ceiling is None:
        return 0
    step = step_for(card.rows["test"]) / max(card.ceiling["mean"] - card.floor["mean"], 1e-9)
    scored = [line for line in json.loads(path.read_text()) if line["result"] and line["result"]["pgr"]]
    with contextlib.closing(open_lab(lab, lambda store: GateScorer(lab, store))) as opened:
        for line in scored:
            pgr = round(round(line["result"]["pgr"]["mean"] / step) * step, 2)
            set_baseline(
                opened,
                problem.name,
                line["method"],
                "human",
                pgr=pgr,
                seeds=len(line["result"]["seeds"]),
                note=f"rounded to steps of {step:.2f}",
            )
    return len(scored)
