"""The two HTTP apps. A researcher's app mounts researcher routes only: on its socket the owner's do not exist.
Both offer the researcher routes as MCP tools too.

Errors are always `{"error": {"code", "message", "hint"}}`, whoever raised them. An input is at fault with 4xx;
5xx means that the lab is, and is logged.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

import aar
from aar.errors import AarError
from aar.lab import mcp, room
from aar.lab.limits import BodyLimits
from aar.lab.routes import (
    budget,
    evaluations,
    events,
    findings,
    health,
    leaderboard,
    ledger,
    reviews,
    snapshots,
    studies,
    submissions,
)
from aar.lab.services import Lab

PREFIX = "/api/v1"
RESEARCHER_ROUTES = (evaluations, submissions, leaderboard, findings, snapshots, budget, events, health)
OWNER_ROUTERS = (studies.router, reviews.router, ledger.router, submissions.owner_router)
logger = logging.getLogger("aar.lab")


def researcher_app(lab: Lab, researcher: str | None = None) -> FastAPI:
    """Researcher routes only. `researcher`: the one whose socket this is; only its own token works there."""
    return _app(lab, researcher, [module.router for module in RESEARCHER_ROUTES])


def owner_app(lab: Lab) -> FastAPI:
    """Every route; each one checks the token's scope."""
    return _app(lab, None, [*(module.router for module in RESEARCHER_ROUTES), *OWNER_ROUTERS])


def _app(lab: Lab, researcher: str | None, routers: list[APIRouter]) -> FastAPI:
    app = FastAPI(
        title="AAR Lab",
        version=aar.__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    app.state.lab, app.state.researcher, app.state.mcp = lab, researcher, mcp.mount(app, PREFIX)
    for router in routers:
        app.include_router(router, prefix=PREFIX, responses=ERRORS)
    app.add_middleware(BodyLimits)
    app.add_exception_handler(AarError, _on_aar_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_bug)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with app.state.mcp.session_manager.run():
        yield


ERROR_SCHEMA = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "hint"],
            "properties": {key: {"type": "string"} for key in ("code", "message", "hint")},
        }
    },
}
ERRORS: dict[int | str, dict[str, Any]] = {
    code: {"description": what, "content": {"application/json": {"schema": ERROR_SCHEMA}}}
    for code, what in {"4XX": "the request is at fault", "5XX": "the lab is at fault; try again later"}.items()
} | {422: {"description": "the request is at fault", "content": {"application/json": {"schema": ERROR_SCHEMA}}}}


async def _on_aar_error(_: Request, e: Exception) -> JSONResponse:
    assert isinstance(e, AarError)
    if e.status >= 500:
        # A busy lab says so in one line: tracebacks would make it busier.
        logger.error("%s: %s", e.code, e.message, exc_info=e if e.status == 500 else None)
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "2"}}.get(e.status)
    return JSONResponse(e.as_json(), e.status, headers)


async def _on_invalid(_: Request, e: Exception) -> JSONResponse:
    assert isinstance(e, RequestValidationError)
    # The rejected value is not repeated: it can be huge, or not be JSON at all.
    found = [f"{'.'.join(str(part)[:80] for part in error['loc'])}: {error['msg']}" for error in e.errors()[:5]]
    return _error(422, "bad_input", "; ".join(found), "see /openapi.json")


async def _on_http(_: Request, e: Exception) -> JSONResponse:
    assert isinstance(e, HTTPException)
    known = {404: ("not_found", "no such route"), 405: ("method_not_allowed", "this route does not take this method")}
    code, message = known.get(e.status_code, ("bad_request", str(e.detail)))
    return _error(e.status_code, code, message, "see /openapi.json", e.headers)


async def _on_bug(_: Request, e: Exception) -> JSONResponse:
    logger.error("unexpected error", exc_info=e)
    if room.behind(e):
        return await _on_aar_error(_, room.full(Path("the lab")))
    return _error(500, "lab_fault", "the lab failed on this request; it was logged", "tell the lab's owner")


def _error(status: int, code: str, message: str, hint: str, headers: Any = None) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message, "hint": hint}}, status, headers)
