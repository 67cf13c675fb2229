"""Every route x every scope. The routes come from the app itself: a new one fails here until it is classified."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from aar.lab import tokens
from aar.lab.apps import owner_app, researcher_app
from aar.lab.fakes import FakeScorer, bearer
from aar.lab.services import Lab, open_lab
from aar.settings import LabFolder

ALL = ("researcher", "reviewer", "owner")
ALLOWED = {
    "GET /health": (*ALL, None),
    "POST /evaluations": ("researcher",),
    "GET /budget": ("researcher",),
    "POST /submissions": ("researcher",),
    "GET /submissions": ALL,
    "GET /submissions/{id}": ALL,
    "GET /leaderboard": ALL,
    "GET /problems": ALL,
    "POST /findings": ("researcher",),
    "GET /findings": ALL,
    "GET /findings/{id}": ALL,
    "GET /findings/{id}/comments": ALL,
    "POST /findings/{id}/comments": ("researcher",),
    "POST /findings/{id}/votes": ("researcher",),
    "POST /snapshots": ("researcher",),
    "GET /snapshots": ALL,
    "GET /snapshots/{id}": ALL,
    "GET /snapshots/{id}/archive": ALL,
    "GET /events": ALL,
    "GET /submissions/{id}/exact": ("owner",),
    "POST /submissions/{id}/requeue": ("owner",),
    "GET /studies": ("reviewer", "owner"),
    "POST /studies": ("owner",),
    "GET /studies/{id}": ("reviewer", "owner"),
    "POST /studies/{id}/stop": ("owner",),
    "POST /studies/{id}/open": ("owner",),
    "GET /tokens": ("owner",),
    "POST /tokens": ("owner",),
    "DELETE /tokens/{id}": ("owner",),
    "GET /reviews": ("reviewer", "owner"),
    "POST /reviews": ("reviewer", "owner"),
    "GET /ledger": ("reviewer", "owner"),
    "POST /ledger": ("owner",),
    "GET /audit": ("owner",),
}
BODIES = {
    "POST /evaluations": {"problem": "toy", "predictions": {"r0": 1}},
    "POST /findings": {"kind": "result", "title": "t", "body": "b"},
    "POST /findings/{id}/comments": {"body": "b"},
    "POST /findings/{id}/votes": {"value": 1},
    "POST /studies": {"name": "one", "problem": "toy"},
    "POST /tokens": {"name": "bob"},
    "POST /reviews": {"submission": 1, "decision": "approve", "reason": "r"},
    "POST /ledger": {"kind": "llm"},
}


def routes(app: FastAPI) -> set[str]:
    paths = app.openapi()["paths"]
    return {f"{m.upper()} {path.removeprefix('/api/v1')}" for path, methods in paths.items() for m in methods}


Shared = tuple[Lab, TestClient, dict[str | None, dict[str, str]]]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """One lab for the whole matrix: nothing here depends on what a call did."""
    root: Path = tmp_path_factory.mktemp("matrix")
    lab = open_lab(LabFolder(root / "lab"), FakeScorer(), head=root / "head")
    with TestClient(owner_app(lab), raise_server_exceptions=False) as client:
        yield lab, client, {scope: bearer(lab, scope, scope) for scope in ALL} | {None: {}}
    lab.close()


def call(client: TestClient, route: str, headers: dict[str, str]) -> int:
    method, path = route.split(" ")
    query = {"problem": "toy", "name": "m", "follow": "false"}
    answer = client.request(
        method, "/api/v1" + path.replace("{id}", "1"), json=BODIES.get(route), params=query, headers=headers
    )
    return answer.status_code


def test_every_route_is_classified(lab: Lab) -> None:
    """The table above names exactly the routes that are served, here and on a researcher's socket."""
    assert routes(owner_app(lab)) == set(ALLOWED)
    assert routes(researcher_app(lab, "ann")) == {r for r, scopes in ALLOWED.items() if "researcher" in scopes}


@pytest.mark.parametrize("scope", [*ALL, None])
@pytest.mark.parametrize("route", sorted(ALLOWED))
def test_scope_by_route(shared: Shared, route: str, scope: str | None) -> None:
    """Allowed scopes get past the door (whatever is behind it), others get 403, no token gets 401."""
    _, client, headers = shared
    status = call(client, route, headers[scope])
    if scope in ALLOWED[route]:
        assert status not in (401, 403, 405)
        assert status < 500
    else:
        assert status == (401 if scope is None else 403)


def test_owner_routes_do_not_exist_on_a_researchers_socket(shared: Shared) -> None:
    """404 or 405 even with the owner's token: there is nothing there to be opened."""
    lab, _, headers = shared
    with TestClient(researcher_app(lab, "researcher"), raise_server_exceptions=False) as client:
        for route in sorted(ALLOWED):
            if "researcher" not in ALLOWED[route]:
                assert call(client, route, headers["owner"]) in (404, 405), route


def test_a_socket_takes_its_own_token_only(shared: Shared) -> None:
    """Another researcher's, the reviewer's and the owner's tokens are refused on it; without one nobody enters."""
    lab, _, headers = shared
    other = bearer(lab, "other")
    with TestClient(researcher_app(lab, "researcher")) as client:
        found = {name: client.get("/api/v1/findings", headers=h).status_code for name, h in headers.items()}
        assert found == {"researcher": 200, "reviewer": 403, "owner": 403, None: 401}
        answer = client.get("/api/v1/findings", headers=other)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "wrong_socket")


def test_a_revoked_token_is_out_at_once(lab: Lab, api: TestClient) -> None:
    """The next call with it gets 401."""
    headers = bearer(lab, "ann")
    assert api.get("/findings", headers=headers).status_code == 200
    tokens.revoke(lab.store, headers["Authorization"][len("Bearer aar_") :][:12])
    answer = api.get("/findings", headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic YWFyOg==", "Bearer aar_x", "bearer \x7f"])
def test_odd_authorization_headers(api: TestClient, value: str) -> None:
    """Anything that is not a valid bearer token is 401."""
    assert api.get("/findings", headers={"Authorization": value}).status_code == 401
