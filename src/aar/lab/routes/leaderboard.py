"""GET leaderboard."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from aar.lab import leaderboard
from aar.lab.leaderboard import Board
from aar.lab.routes.access import Anyone, TheLab
from aar.lab.services import ProblemCard

router = APIRouter(tags=["leaderboard"])


@router.get("/leaderboard")
def get_leaderboard(who: Anyone, lab: TheLab, problem: Annotated[str, Query(max_length=200)]) -> Board:
    """Verified submissions by rank, then floor, ceiling, baselines and people."""
    return leaderboard.board(lab, who, problem)


@router.get("/problems")
def get_problems(who: Anyone, lab: TheLab) -> list[ProblemCard]:
    """The problems that can be worked on."""
    return lab.scorer.problems()
