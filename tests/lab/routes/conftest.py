"""The same small lab for the routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from aar.lab.archive import pack_files
from aar.lab.fakes import METHOD, bearer
from aar.lab.services import Lab

VECTOR = {f"r{i}": 1.0 for i in range(10)}


@pytest.fixture
def ann(lab: Lab) -> dict[str, str]:
    return bearer(lab, "ann")


@pytest.fixture
def owner(lab: Lab) -> dict[str, str]:
    return {"Authorization": "Bearer " + lab.owner_token()}


@pytest.fixture
def evaluate(api: TestClient, ann: dict[str, str]) -> Callable[..., Any]:
    """POST one vector as ann; `key` is the Idempotency-Key."""

    def post(predictions: dict[str, float] = VECTOR, key: str | None = None, problem: str = "toy") -> Any:
        headers = ann | ({"Idempotency-Key": key} if key else {})
        return api.post("/evaluations", json={"problem": problem, "predictions": predictions}, headers=headers)

    return post


@pytest.fixture
def submit(api: TestClient, ann: dict[str, str]) -> Callable[..., Any]:
    def post(content: bytes | None = None, name: str = "mine", **query: Any) -> Any:
        body = pack_files(METHOD) if content is None else content
        return api.post("/submissions", params={"problem": "toy", "name": name, **query}, content=body, headers=ann)

    return post
