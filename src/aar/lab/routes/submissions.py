"""POST submissions: a method folder to be rerun by the lab. GET: what became of it, as far as the gate lets out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from aar.errors import InputError, NotFound
from aar.lab import queue, snapshots
from aar.lab.archive import check_method, extract_method
from aar.lab.routes.access import MAX_ID, Anyone, OnlyOnce, Owner, Researcher, RowId, TheLab, as_json
from aar.lab.routes.snapshots import TAR, tar_body
from aar.lab.services import Lab
from aar.lab.tables import Run, Submission
from aar.lab.tokens import Identity

router = APIRouter(tags=["submissions"])
owner_router = APIRouter(tags=["submissions"])


@dataclass(frozen=True)
class SubmissionView:
    """`verdict`: {status, pgr, accuracy, error} through the gate, None until there is one. `fault`: whose a failure is."""

    id: int
    state: str
    problem: str
    method: str
    researcher: str
    study: str | None
    snapshot: str
    claimed: float | None
    verdict: dict[str, Any] | None
    fault: str | None
    code: str | None
    message: str | None
    created: str
    started: str | None
    finished: str | None


@dataclass(frozen=True)
class Accepted:
    id: int
    snapshot: str
    state: str


@router.post("/submissions", status_code=202, response_model=Accepted, openapi_extra=TAR)
def submit(
    who: Researcher,
    lab: TheLab,
    once: OnlyOnce,
    tar: Annotated[bytes, Depends(tar_body)],
    problem: Annotated[str, Query(max_length=200)],
    name: Annotated[
        str, Query(max_length=100, min_length=1, pattern=r"^[\w .+()/-]+$", description="the method's name")
    ],
    claimed: Annotated[float | None, Query(ge=-100, le=100, allow_inf_nan=False)] = None,
    snapshot: Annotated[str | None, Query(max_length=40, description="rerun this one; send no body")] = None,
) -> JSONResponse:
    """Queue the tar of a method folder (`method.py` at its top), or a snapshot that is stored already."""
    if bool(tar) == bool(snapshot):
        raise InputError("send either a tar body or ?snapshot=ID", code="no_method")
    lab.problem(problem)
    files = extract_method(tar) if tar else None

    def act() -> Accepted:
        code = (
            snapshots.put(lab, who, files, note=f"submitted as {name}")
            if files
            else snapshots.read(lab, who, snapshot or "")
        )
        if files is None:
            check_method(lab.code.get(code.id))
        row = queue.enqueue(lab, who, problem, name, code.id, claimed)
        return Accepted(row.id, code.id, row.state)

    return once(who, 202, act)


@router.get("/submissions")
def list_submissions(
    who: Anyone,
    lab: TheLab,
    state: Annotated[str | None, Query(max_length=20)] = None,
    after: Annotated[int, Query(ge=0, le=MAX_ID)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> list[SubmissionView]:
    """A researcher's own submissions; all of them to owners and reviewers. Oldest first."""
    query = sa.select(Submission).where(Submission.id > after).order_by(Submission.id).limit(limit)
    if who.scope == "researcher":
        query = query.where(Submission.researcher == who.name)
    if state:
        query = query.where(Submission.state == state)
    with lab.store.reading() as session:
        return [_view(row) for row in session.scalars(query)]


@router.get("/submissions/{id}")
def get_submission(id: RowId, who: Anyone, lab: TheLab) -> SubmissionView:
    """One submission: a researcher's own one, or any to owners and reviewers."""
    return _view(_find(lab, who, id))


@owner_router.get("/submissions/{id}/exact")
def get_exact(id: RowId, who: Owner, lab: TheLab) -> dict[str, Any]:
    """Exact figures, runs and evidence. Every look is written to the audit log before it is answered."""
    with lab.store.transaction() as session:
        row = _find(lab, who, id)
        lab.store.record(who.name, "look.exact", submission=id)
        runs = session.scalars(sa.select(Run).where(Run.submission == id).order_by(Run.seed))
        seeds = [{k: getattr(r, k) for k in ("seed", "accuracy", "pgr", "seconds", "details")} for r in runs]
        return {"submission": as_json(_view(row)), "exact": row.verdict, "runs": seeds}


@owner_router.post("/submissions/{id}/requeue", response_model=SubmissionView)
def requeue(id: RowId, who: Owner, lab: TheLab, once: OnlyOnce) -> JSONResponse:
    """Run a failed submission again."""

    def act() -> SubmissionView:
        queue.requeue(lab.store, id, who.name)
        return _view(_find(lab, who, id))

    return once(who, 200, act)


def _find(lab: Lab, who: Identity, id_: int) -> Submission:
    with lab.store.reading() as session:
        row = session.get(Submission, id_)
    if row is None or (who.scope == "researcher" and row.researcher != who.name):
        raise NotFound(f"no submission {id_}", hint="GET /api/v1/submissions lists yours")
    return row


def _view(row: Submission) -> SubmissionView:
    return SubmissionView(
        id=row.id, state=row.state, problem=row.problem, method=row.method, researcher=row.researcher, study=row.study,
        snapshot=row.snapshot, claimed=row.claimed, verdict=row.public, fault=row.fault, code=row.code,
        message=row.message, created=row.created, started=row.started, finished=row.finished,
    )  # fmt: skip
