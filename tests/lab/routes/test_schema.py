"""Schemathesis on the whole API: no input gives a 5xx, and every answer is what the schema says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from aar.lab import forum, snapshots
from aar.lab.apps import PREFIX, owner_app, researcher_app
from aar.lab.fakes import METHOD, FakeScorer, bearer, person
from aar.lab.services import open_lab
from aar.settings import LabFolder

EXAMPLES = 4
Served = list[tuple[FastAPI, list[dict[str, str]]]]


@pytest.fixture
def served(database: str, tmp_path: Path) -> Iterator[Served]:
    """A lab with something in it: both apps, each with the headers of those whom it serves and, on a researcher's
    own socket, of somebody else."""
    lab = open_lab(LabFolder(tmp_path / "lab"), FakeScorer())
    ann = person(lab, "ann")
    forum.post(lab, ann, "insight", "t", "b")
    snapshots.put(lab, ann, METHOD)
    owner = {"Authorization": "Bearer " + lab.owner_token()}
    yield [
        (owner_app(lab), [owner, bearer(lab, "eve", "reviewer"), bearer(lab, "ann")]),
        (researcher_app(lab, "ann"), [bearer(lab, "ann"), bearer(lab, "bob")]),
    ]
    lab.close()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_schema_names_every_route(served: Served) -> None:
    """What is not in the description would not be tried below."""
    for app, _ in served:
        described = {(path, method.upper()) for path, found in app.openapi()["paths"].items() for method in found}
        assert described == routes(app)
        assert len(described) > 15


def routes(app: FastAPI) -> set[tuple[str, str]]:
    """(path, method) of every API route that the app answers, as its router holds them."""
    found = set()
    for route in app.routes:
        for one in getattr(getattr(route, "original_router", None), "routes", [route]):
            if isinstance(one, APIRoute) and one.path != "/openapi.json":
                path = one.path if one.path.startswith(PREFIX) else PREFIX + one.path
                found |= {(path, method) for method in one.methods}
    return found


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)], indirect=True)
def test_no_input_breaks_the_lab(served: Served) -> None:
    """Every operation of every app with generated inputs, good and bad, in every role."""
    for app, callers in served:
        schema = schemathesis.openapi.from_asgi("/openapi.json", app)
        for found in schema.get_all_operations():
            attempt(found.ok(), callers)


def attempt(operation: schemathesis.APIOperation, callers: list[dict[str, str]]) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def check(case: schemathesis.Case) -> None:
        if operation.path.endswith("/events"):
            case.query = {**(case.query or {}), "follow": "false"}  # else it never ends
        for headers in callers:
            case.call_and_validate(headers=headers, checks=[not_a_server_error, response_schema_conformance])

    check()
