"""Snapshots over HTTP: upload a tar, list, look, download."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse, Response

from aar.errors import InputError
from aar.lab import snapshots
from aar.lab.archive import extract, pack_files
from aar.lab.routes.access import MAX_ID, Anyone, OnlyOnce, Researcher, TheLab
from aar.lab.snapshots import SnapshotView

router = APIRouter(tags=["snapshots"])
BINARY = {"schema": {"type": "string", "format": "binary"}}
TAR: dict[str, Any] = {
    "requestBody": {"description": "a tar or tar.gz, at most 6 MB", "content": {"application/octet-stream": BINARY}}
}
SnapshotId = Annotated[str, Path(max_length=40)]


class WrongType(InputError):
    status, default_code = 415, "wrong_type"


async def tar_body(request: Request) -> bytes:
    """The raw body. Its size was checked while it arrived."""
    kind = request.headers.get("content-type", "").split(";")[0]
    body = await request.body()
    if body and (kind.startswith("multipart/") or kind.endswith("json")):
        raise WrongType(f"a body of type {kind!r}", hint="send the tar itself as application/octet-stream")
    return body


@router.post("/snapshots", status_code=201, response_model=SnapshotView, openapi_extra=TAR)
def upload(
    who: Researcher,
    lab: TheLab,
    once: OnlyOnce,
    tar: Annotated[bytes, Depends(tar_body)],
    note: Annotated[str, Query(max_length=2000)] = "",
    parent: Annotated[list[str] | None, Query(max_length=20, description="snapshots it builds on")] = None,
) -> JSONResponse:
    """Store the files of a tar or tar.gz."""
    files = extract(tar)
    return once(who, 201, lambda: snapshots.put(lab, who, files, parent, note.replace("\0", "")))


@router.get("/snapshots")
def list_snapshots(
    who: Anyone,
    lab: TheLab,
    researcher: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    offset: Annotated[int, Query(ge=0, le=MAX_ID)] = 0,
) -> list[SnapshotView]:
    """Newest first."""
    return snapshots.listed(lab, who, researcher, limit, offset)


@router.get("/snapshots/{id}")
def get_snapshot(id: SnapshotId, who: Anyone, lab: TheLab) -> SnapshotView:
    """What a snapshot is and what it builds on."""
    return snapshots.read(lab, who, id)


@router.get(
    "/snapshots/{id}/archive", response_class=Response, responses={200: {"content": {"application/gzip": BINARY}}}
)
def download(id: SnapshotId, who: Anyone, lab: TheLab) -> Response:
    """Its files as tar.gz."""
    row = snapshots.read(lab, who, id)
    name = {"Content-Disposition": f'attachment; filename="{row.id[:12]}.tgz"'}
    return Response(pack_files(lab.code.get(row.id)), media_type="application/gzip", headers=name)
