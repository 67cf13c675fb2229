"""GET events: what happens in the lab, as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from aar.errors import BudgetSpent
from aar.lab import events, tokens
from aar.lab.routes.access import MAX_ID, Anyone, TheLab
from aar.lab.services import Lab
from aar.lab.tokens import Identity

router = APIRouter(tags=["events"])
MAX_STREAMS = 8
EVENT = {"type": "object", "properties": {field: {"type": "string"} for field in ("id", "event", "data")}}


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": EVENT}}}},
)
async def get_events(
    who: Anyone,
    lab: TheLab,
    after: Annotated[int, Query(ge=0, le=MAX_ID)] = 0,
    follow: Annotated[bool, Query(description="false: end when there are no more")] = True,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
) -> StreamingResponse:
    """Events after `after` or `Last-Event-ID`; the ids are increasing and nothing is left out."""
    last = int(last_event_id) if last_event_id and last_event_id.isdecimal() and last_event_id.isascii() else after
    if lab.streams[who.token] >= MAX_STREAMS:
        raise BudgetSpent(f"{MAX_STREAMS} event streams are open with this token", code="too_many_streams")
    return StreamingResponse(
        _counted(lab, who, min(last, MAX_ID), follow),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store"},
    )


async def _counted(lab: Lab, who: Identity, last: int, follow: bool) -> AsyncIterator[bytes]:
    lab.streams[who.token] += 1
    try:
        async for chunk in events.stream(lab.store, who, last, follow=follow, stopping=lambda: _over(lab, who)):
            yield chunk
    finally:
        lab.streams[who.token] -= 1


def _over(lab: Lab, who: Identity) -> bool:
    return lab.stopping or not tokens.is_valid(lab.store, who.token)
