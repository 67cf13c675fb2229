"""Schemathesis on the whole API: no input gives a 5xx, and every answer is what the schema says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from aar.lab import forum, snapshots
from aar.lab.apps import owner_app
from aar.lab.fakes import METHOD, FakeScorer, bearer, person
from aar.lab.services import open_lab
from aar.settings import LabFolder

EXAMPLES = 5


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[FastAPI, list[dict[str, str]]]]:
    """A lab with something in it, and the headers of its owner and of a researcher."""
    lab = open_lab(LabFolder(tmp_path / "lab"), FakeScorer())
    ann = person(lab, "ann")
    forum.post(lab, ann, "insight", "t", "b")
    snapshots.put(lab, ann, METHOD)
    yield owner_app(lab), [{"Authorization": "Bearer " + lab.owner_token()}, bearer(lab, "ann")]
    lab.close()


def test_no_input_breaks_the_lab(served: tuple[FastAPI, list[dict[str, str]]]) -> None:
    """Every operation with generated inputs, good and bad, as the owner and as a researcher."""
    app, callers = served
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 30
    for operation in operations:
        if operation.path.endswith("/events"):
            continue  # it never ends

        @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def check(case: schemathesis.Case) -> None:
            for headers in callers:
                case.call_and_validate(headers=headers, checks=[not_a_server_error, response_schema_conformance])

        check()
