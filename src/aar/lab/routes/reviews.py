"""Reviews over HTTP: reviewers and the owner. Every look at evidence is written to the audit log."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from aar.lab import reviews
from aar.lab.reviews import Pending, ReviewView
from aar.lab.routes.access import MAX_ID, OnlyOnce, Reviewer, TheLab

router = APIRouter(tags=["reviews"])


class NewReview(BaseModel):
    submission: Annotated[int, Field(ge=1, le=MAX_ID)]
    decision: Literal["approve", "disqualify", "reinstate"]
    reason: str = Field(max_length=10_000)


@router.get("/reviews")
def list_reviews(
    who: Reviewer, lab: TheLab, state: Literal["pending_review", "verified", "disqualified"] = "pending_review"
) -> list[Pending]:
    """What waits for a decision, with its evidence."""
    lab.store.record(who.name, "look.evidence", state=state)
    return reviews.listed(lab, state)


@router.post("/reviews", status_code=201, response_model=ReviewView)
def post_review(body: NewReview, who: Reviewer, lab: TheLab, once: OnlyOnce) -> JSONResponse:
    """Decide."""
    return once(who, 201, lambda: reviews.decide(lab, who, body.submission, body.decision, body.reason))
