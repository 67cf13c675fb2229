"""The ledger and the audit log over HTTP: the owner's."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from aar.lab import ledger
from aar.lab.ledger import Totals
from aar.lab.routes.access import OnlyOnce, Owner, Reviewer, TheLab

router = APIRouter(tags=["ledger"])
Amount = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]


class NewCharge(BaseModel):
    """`ref` makes it count once."""

    kind: str = Field(max_length=40, examples=["llm"])
    study: str | None = Field(None, max_length=40)
    researcher: str | None = Field(None, max_length=40)
    tokens_in: int = Field(0, ge=0, le=10**12)
    tokens_out: int = Field(0, ge=0, le=10**12)
    usd: Amount = 0.0
    hours: Amount = 0.0
    note: str = Field("", max_length=1000)
    ref: str | None = Field(None, max_length=128)


@router.get("/ledger")
def get_ledger(
    who: Reviewer,
    lab: TheLab,
    study: Annotated[str | None, Query(max_length=40)] = None,
    researcher: Annotated[str | None, Query(max_length=40)] = None,
) -> list[Totals]:
    """Totals by study and researcher."""
    return ledger.totals(lab.store, study, researcher)


@router.post("/ledger", status_code=201)
def post_charge(body: NewCharge, who: Owner, lab: TheLab, once: OnlyOnce) -> JSONResponse:
    """Append a charge."""
    return once(who, 201, lambda: {"id": ledger.charge(lab.store, **body.model_dump())})


@router.get("/audit")
def verify_audit(who: Owner, lab: TheLab) -> dict[str, Any]:
    """Check the whole audit log; names every entry that was tampered with."""
    report = lab.audit.verify()
    return {"ok": report.ok, **asdict(report)}
