"""What happens in the lab, as numbered rows and as a stream of server-sent events. Decides who may see which.

An event is published in the transaction of the act it tells of, so it is seen if and only if the act happened.
A reader names the last number it saw (`Last-Event-ID`) and misses nothing. Bodies carry names and ids, never
an exact figure.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from aar.lab.store import Store
from aar.lab.tables import Event
from aar.lab.tokens import Identity

POLL_S = 0.4
KEEP_ALIVE_S = 15.0
PAGE = 200


@dataclass(frozen=True)
class EventView:
    id: int
    kind: str
    study: str | None
    body: dict[str, Any]
    created: str


def publish(store: Store, kind: str, body: dict[str, Any], study: str | None = None, audience: str = "all") -> None:
    """Add an event to the open transaction. `audience`: "all" (of the study), "owner", or a researcher."""
    store.insert(Event, kind=kind, body=body, study=study, audience=audience)


def after(store: Store, identity: Identity, last: int, limit: int = PAGE) -> list[EventView]:
    """The next events that this identity may see, oldest first."""
    query = sa.select(Event).where(Event.id > last).order_by(Event.id).limit(limit)
    if not identity.is_owner:
        query = query.where(Event.audience.in_(("all", identity.name)))
        if identity.study:
            query = query.where(sa.or_(Event.study == identity.study, Event.study.is_(None)))
    with store.reading() as session:
        return [EventView(e.id, e.kind, e.study, e.body, e.created) for e in session.scalars(query)]


async def stream(
    store: Store, identity: Identity, last: int, *, follow: bool, stopping: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """Server-sent events after `last`; without `follow` it ends when there are no more."""
    quiet = 0.0
    while not await asyncio.to_thread(stopping):
        events = await asyncio.to_thread(after, store, identity, last)
        for event in events:
            last, quiet = event.id, 0.0
            yield _encode(event)
        if len(events) == PAGE:
            continue
        if not follow:
            return
        if quiet >= KEEP_ALIVE_S:
            quiet = 0.0
            yield b": still here\n\n"
        await asyncio.sleep(POLL_S)
        quiet += POLL_S


def _encode(event: EventView) -> bytes:
    data = json.dumps({"study": event.study, "created": event.created, **event.body})
    return f"id: {event.id}\nevent: {event.kind}\ndata: {data}\n\n".encode()
