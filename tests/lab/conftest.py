"""A small real lab in a temporary folder: real database, code store and audit log, a fake scorer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from aar.lab.apps import owner_app
from aar.lab.fakes import FakeScorer
from aar.lab.services import Lab, open_lab
from aar.settings import LabFolder


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Audit heads and sockets of tests stay in the tests' folder."""
    monkeypatch.setenv("AAR_STATE", str(tmp_path / "outside"))
    monkeypatch.setenv("AAR_RUNTIME", str(tmp_path))


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = open_lab(LabFolder(tmp_path / "lab"), FakeScorer())
    yield lab
    lab.close()


@pytest.fixture
def api(lab: Lab) -> Iterator[TestClient]:
    """The owner's app, as it is served; errors come back as replies."""
    with TestClient(owner_app(lab), raise_server_exceptions=False, base_url="http://lab/api/v1") as client:
        yield client
