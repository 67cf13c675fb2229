"""A small real lab in a temporary folder: real database, code store and audit log, a fake scorer."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from aar.lab.apps import owner_app
from aar.lab.fakes import FakeScorer
from aar.lab.services import Lab, open_lab
from aar.settings import LabFolder

_spec = importlib.util.spec_from_file_location("postgres", Path(__file__).parent / "postgres.py")
assert _spec
assert _spec.loader
postgres = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(postgres)
NUMBERS = itertools.count()


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Audit heads and sockets of tests stay in the tests' folder."""
    monkeypatch.setenv("AAR_STATE", str(tmp_path / "outside"))
    monkeypatch.setenv("AAR_RUNTIME", str(short))


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Path]:
    if reason := postgres.missing():
        pytest.skip(reason)
    with postgres.cluster() as folder:
        yield folder


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Runs a test on both databases; ask for it before anything that opens one."""
    if request.param == "sqlite":
        yield request.param
        return
    pytest.importorskip("psycopg", reason="pip install 'aar-lab[postgres]'")
    folder = request.getfixturevalue("postgres_cluster")
    with postgres.database(folder, f"t{next(NUMBERS)}") as url:
        monkeypatch.setenv("AAR_DATABASE", url)
        yield request.param


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
