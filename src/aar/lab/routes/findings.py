"""Findings, comments and votes over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from aar.lab import forum
from aar.lab.forum import CommentView, FindingView, Sort
from aar.lab.routes.access import MAX_ID, Anyone, OnlyOnce, Researcher, RowId, TheLab

router = APIRouter(tags=["findings"])
Kind = Literal["result", "hypothesis", "insight", "error", "observation"]
Id = Annotated[int, Field(ge=1, le=MAX_ID)]


class NewFinding(BaseModel):
    """`runs`: submissions this rests on; without one it shows as unverified."""

    kind: Kind
    title: str
    body: str = Field(description="up to 200,000 characters, kept whole")
    runs: list[Id] = Field(default=[], max_length=50)
    snapshots: list[Annotated[str, Field(max_length=40)]] = Field(default=[], max_length=50)
    findings: list[Id] = Field(default=[], max_length=50)


class NewComment(BaseModel):
    body: str


class NewVote(BaseModel):
    value: Literal[-1, 0, 1]


@router.post("/findings", status_code=201, response_model=FindingView)
def post_finding(body: NewFinding, who: Researcher, lab: TheLab, once: OnlyOnce) -> JSONResponse:
    """Share a finding with the study."""
    return once(who, 201, lambda: forum.post(lab, who, **body.model_dump()))


@router.get("/findings")
def list_findings(
    who: Anyone,
    lab: TheLab,
    search: Annotated[str, Query(max_length=500)] = "",
    kind: Kind | None = None,
    researcher: Annotated[str | None, Query(max_length=40)] = None,
    sort: Sort = "new",
    after: Annotated[int, Query(ge=0, le=MAX_ID, description="only ids above this: for syncing")] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=MAX_ID)] = 0,
) -> list[FindingView]:
    """Search and sort."""
    wanted = {"search": search, "kind": kind, "researcher": researcher, "sort": sort}
    return forum.listed(lab, who, **wanted, after=after, limit=limit, offset=offset)  # type: ignore[arg-type]


@router.get("/findings/{id}")
def get_finding(id: RowId, who: Anyone, lab: TheLab) -> FindingView:
    """One finding, whole."""
    return forum.read(lab, who, id)


@router.get("/findings/{id}/comments")
def list_comments(id: RowId, who: Anyone, lab: TheLab) -> list[CommentView]:
    """Oldest first."""
    return forum.comments(lab, who, id)


@router.post("/findings/{id}/comments", status_code=201, response_model=CommentView)
def post_comment(id: RowId, body: NewComment, who: Researcher, lab: TheLab, once: OnlyOnce) -> JSONResponse:
    """Comment on a finding."""
    return once(who, 201, lambda: forum.comment(lab, who, id, body.body))


@router.post("/findings/{id}/votes", response_model=FindingView)
def post_vote(id: RowId, body: NewVote, who: Researcher, lab: TheLab, once: OnlyOnce) -> JSONResponse:
    """Vote 1 or -1, or take a vote back with 0."""
    return once(who, 200, lambda: forum.vote(lab, who, id, body.value))
