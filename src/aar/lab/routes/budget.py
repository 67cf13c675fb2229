"""GET budget: what a researcher has left, and what it has cost so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from aar.lab import ledger
from aar.lab.ledger import Totals
from aar.lab.routes.access import Researcher, TheLab
from aar.lab.services import Budget

router = APIRouter(tags=["budget"])


@dataclass(frozen=True)
class BudgetView:
    evaluations: list[Budget]
    spent: list[Totals]


@router.get("/budget")
def get_budget(
    who: Researcher, lab: TheLab, problem: Annotated[str | None, Query(max_length=200)] = None
) -> BudgetView:
    """Evaluations left by problem, and this researcher's own lines of the ledger."""
    cards = [lab.problem(problem)] if problem else [c for c in lab.scorer.problems() if c.interactive]
    left = [lab.scorer.budget(who.name, card.name, who.study) for card in cards]
    return BudgetView(left, ledger.totals(lab.store, researcher=who.name))
