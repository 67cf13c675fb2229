"""Studies, researchers and tokens over HTTP: the owner's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from aar.lab import studies, tokens
from aar.lab.routes.access import OnlyOnce, Owner, Reviewer, TheLab
from aar.lab.studies import StudyView

router = APIRouter(tags=["studies"])
Name = Annotated[str, Field(max_length=40)]
Id = Annotated[str, Path(max_length=40)]


class NewStudy(BaseModel):
    name: Name
    problem: str = Field(max_length=200)
    settings: dict[str, Any] = {}


class NewToken(BaseModel):
    """For the researcher scope the researcher `name` is made with it, if new. An unsandboxed one never ranks."""

    name: Name
    scope: Literal["researcher", "reviewer", "owner"] = "researcher"
    study: Name | None = None
    direction: str = Field("", max_length=20_000)
    kind: Literal["external", "unsandboxed"] = "external"


@dataclass(frozen=True)
class TokenView:
    id: str
    name: str
    scope: str
    study: str | None
    created: str
    revoked: str | None


@router.get("/studies")
def list_studies(who: Reviewer, lab: TheLab) -> list[StudyView]:
    return studies.listed(lab)


@router.post("/studies", status_code=201, response_model=StudyView)
def post_study(body: NewStudy, who: Owner, lab: TheLab, once: OnlyOnce) -> JSONResponse:
    return once(who, 201, lambda: studies.create(lab, body.name, body.problem, body.settings))


@router.get("/studies/{id}")
def get_study(id: Id, who: Reviewer, lab: TheLab) -> StudyView:
    return studies.read(lab, id)


@router.post("/studies/{id}/stop", response_model=StudyView)
def stop_study(id: Id, who: Owner, lab: TheLab, once: OnlyOnce) -> JSONResponse:
    """Nothing can be added to a stopped study; it can still be read."""
    return once(who, 200, lambda: studies.set_state(lab, id, "stopped", who.name))


@router.post("/studies/{id}/open", response_model=StudyView)
def open_study(id: Id, who: Owner, lab: TheLab, once: OnlyOnce) -> JSONResponse:
    """Let a stopped study go on. A finalized one stays closed."""
    return once(who, 200, lambda: studies.set_state(lab, id, "open", who.name))


@router.get("/tokens")
def list_tokens(who: Owner, lab: TheLab) -> list[TokenView]:
    rows = tokens.listed(lab.store)
    return [TokenView(t.id, t.name, t.scope, t.study, t.created, t.revoked) for t in rows]


@router.post("/tokens", status_code=201)
def post_token(body: NewToken, who: Owner, lab: TheLab) -> JSONResponse:
    """Make a token. It is shown here and never again, so this POST keeps no answer under an Idempotency-Key."""
    token = tokens.create(lab.store, body.name, body.scope, body.study, body.direction, body.kind)
    lab.changed()
    return JSONResponse({"token": token, "name": body.name, "scope": body.scope}, 201)


@router.delete("/tokens/{id}", status_code=204, response_class=JSONResponse)
def delete_token(id: Id, who: Owner, lab: TheLab) -> None:
    """Revoke a token: it stops working at once."""
    tokens.revoke(lab.store, id)
    lab.changed()
