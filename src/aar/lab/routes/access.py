"""Who may call a route, and the once-only rule for POSTs. Every route takes one of the four identities below.

`Anyone` is any valid token, `Researcher`, `Reviewer` (and the owner), `Owner`. On a researcher's own socket the
token must be that researcher's: the socket, which only its sandbox holds, and the token vouch for each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from dataclasses import asdict, is_dataclass
from functools import partial
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Depends, Header, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from aar.errors import Conflict, InputError, Refused
from aar.lab import tokens
from aar.lab.services import Lab
from aar.lab.tables import IdempotencyKey
from aar.lab.tokens import Identity, NoToken

MAX_ID = 2**53
KEY = re.compile(r"[\x21-\x7e]{1,128}")
bearer = HTTPBearer(auto_error=False, description="a token from `aar token create`")
RowId = Annotated[int, Path(ge=1, le=MAX_ID)]


async def lab_of(request: Request) -> Lab:  # async: a thread is not worth its while
    lab: Lab = request.app.state.lab
    return lab


TheLab = Annotated[Lab, Depends(lab_of)]


def allow(*scopes: str) -> Any:
    """A dependency that gives the caller's identity, if its scope is one of these."""

    async def identify(
        request: Request, lab: TheLab, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
    ) -> Identity:
        if given is None:
            raise NoToken("this route needs a token", hint="send `Authorization: Bearer aar_...`")
        look = partial(tokens.verify, lab.store, given.credentials)
        # A read of SQLite waits for nobody and takes less than the way to another thread and back.
        who = look() if lab.store.is_sqlite else await run_in_threadpool(look)
        fixed = request.app.state.researcher
        if fixed is not None and (who.scope, who.name) != ("researcher", fixed):
            raise Refused("this token does not belong to this socket", code="wrong_socket", hint="use your own token")
        if who.scope not in scopes:
            raise Refused(f"a {who.scope} may not do this", code="wrong_scope", hint=f"needs: {' or '.join(scopes)}")
        return who

    return Depends(identify)


Researcher = Annotated[Identity, allow("researcher")]
Anyone = Annotated[Identity, allow("researcher", "reviewer", "owner")]
Reviewer = Annotated[Identity, allow("reviewer", "owner")]
Owner = Annotated[Identity, allow("owner")]


KEYS = IdempotencyKey.__table__
ANSWER = sa.select(KEYS).where(*(KEYS.c[name] == sa.bindparam(name) for name in ("owner", "route", "key")))


class Once:
    """`once(who, 201, act)`: run `act` in a transaction and answer with it. Under an Idempotency-Key the act
    happens once: the same body gets the stored answer again, another body is a conflict."""

    def __init__(self, request: Request, lab: Lab, key: str | None) -> None:
        if key is not None and not KEY.fullmatch(key):
            raise InputError("an Idempotency-Key is 1 to 128 printable ASCII characters", code="bad_key")
        self.lab, self.key = lab, key
        self.route = f"{request.method} {request.url.path}"
        self.body_hash = request.state.body_hash

    def __call__(self, who: Identity, status: int, act: Callable[[], Any]) -> JSONResponse:
        with self.lab.store.transaction() as session:
            name = {"owner": f"{who.scope}:{who.name}", "route": self.route, "key": self.key}
            if self.key and (known := session.connection().execute(ANSWER, name).first()) is not None:
                if known.body_hash != self.body_hash:
                    raise Conflict(
                        "this Idempotency-Key was used with another body", code="key_reused", hint="make a new key"
                    )
                return JSONResponse(known.answer["body"], known.status, {"Idempotent-Replay": "true"})
            answer = as_json(act())
            if self.key:
                kept = {"body_hash": self.body_hash, "status": status, "answer": {"body": answer}}
                self.lab.store.insert(IdempotencyKey, **name, **kept)
        return JSONResponse(answer, status)


async def _once(
    request: Request,
    lab: TheLab,
    idempotency_key: Annotated[str | None, Header(description="repeat a call safely: 1 to 128 characters")] = None,
) -> Once:
    return Once(request, lab, idempotency_key)


OnlyOnce = Annotated[Once, Depends(_once)]


class ReadOnceRoute(APIRoute):
    """For large bodies: takes the JSON that `BodyLimits` has parsed already."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        class ReadOnce(Request):
            async def json(self) -> Any:
                return self.state.json

        async def read_once(request: Request) -> Response:
            return await handler(ReadOnce(request.scope, request.receive))

        return read_once


def as_json(value: Any) -> Any:
    """A view, or a list of views, as plain JSON values."""
    if isinstance(value, list):
        return [as_json(v) for v in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
