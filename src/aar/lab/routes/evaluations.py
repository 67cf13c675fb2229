"""POST evaluations: the interactive lane. The scorer answers; every attempt is logged, also a refused one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from aar.errors import AarError
from aar.lab import events
from aar.lab.routes.access import OnlyOnce, ReadOnceRoute, Researcher, TheLab
from aar.lab.services import EvaluationAnswer, Lab
from aar.lab.tables import Attempt
from aar.lab.tokens import Identity

router = APIRouter(tags=["evaluations"], route_class=ReadOnceRoute)
P = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class NewEvaluation(BaseModel):
    problem: str = Field(max_length=200, examples=["code"])
    study: str | None = Field(None, max_length=40)
    predictions: dict[str, P] = Field(min_length=1, max_length=50_000, description="row id -> 0/1 or P(label = 1)")


@router.post("/evaluations", response_model=EvaluationAnswer)
async def evaluate(body: NewEvaluation, who: Researcher, lab: TheLab, once: OnlyOnce) -> JSONResponse:
    """Score one vector: every row id of the problem's test file exactly once."""

    def attempt() -> JSONResponse:
        try:
            return once(who, 200, lambda: _answer(lab, who, body))
        except AarError as e:
            _log_attempt(lab, who, body.problem, e.code, e.message)
            raise

    answer: JSONResponse = await lab.batches.run(attempt)
    return answer


def _answer(lab: Lab, who: Identity, body: NewEvaluation) -> EvaluationAnswer:
    study, card = lab.study_of(who, body.study), lab.problem(body.problem)
    answer = lab.scorer.evaluate(who.name, card.name, study, body.predictions)
    lab.store.record(who.name, "evaluate", problem=card.name, status=answer.status, duplicate=answer.duplicate)
    told: dict[str, Any] = {"researcher": who.name, "problem": card.name, "status": answer.status}
    events.publish(lab.store, "evaluation", told, study, audience="owner")
    _log_attempt(lab, who, card.name, "duplicate" if answer.duplicate else answer.status)
    return answer


def _log_attempt(lab: Lab, who: Identity, problem: str, outcome: str, detail: str = "") -> None:
    lab.store.insert(Attempt, researcher=who.name, problem=problem, outcome=outcome, detail=detail[:500])
