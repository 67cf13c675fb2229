"""The final lane of a study: registered first, opened once, labelled where it is not the first look."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from aar.errors import Conflict
from aar.lab.store import Store
from aar.lab.tables import AuditEntry, Submission
from aar.settings import LabFolder
from aar.studies import finalize as module
from aar.studies.finalize import REUSED, finalize
from aar.studies.spec import StudyFolder


def acts(lab: LabFolder) -> list[tuple[str, dict[str, Any]]]:
    store = Store(lab.database)
    with store.reading() as session:
        query = sa.select(AuditEntry.action, AuditEntry.body).order_by(AuditEntry.id)
        found = [(action, body) for action, body in session.execute(query)]
    store.close()
    return found


def test_registered_before_it_is_opened(ended: LabFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the private rows are read, primary, endpoint and opening are committed already."""
    seen: list[str] = []
    real = module.open_private

    def watched(*args: Any) -> Any:
        seen.extend(action for action, _ in acts(ended))
        return real(*args)

    monkeypatch.setattr(module, "open_private", watched)
    result = finalize(ended, "a")
    assert [a for a in seen if a.startswith(("look.", "final."))] == ["look.exact", "final.register", "final.open"]
    registered = next(body for action, body in acts(ended) if action == "final.register")
    assert registered["primary"] == result["opened"][0]["submission"]
    assert registered["endpoint"] == result["endpoint"]


def test_the_result(ended: LabFolder) -> None:
    """What the report needs; the best verified method comes first, and every figure lies in its interval."""
    result = finalize(ended, "a")
    assert json.loads(StudyFolder(ended, "a").result.read_text()) == result
    assert StudyFolder(ended, "a").result.stat().st_mode & 0o777 == 0o600
    assert (result["researchers"], result["trials"], result["submissions"]) == (2, 2, 2)
    assert result["best_verified"]["researcher"] == result["opened"][0]["researcher"]
    assert {row["arm"] for row in result["opened"]} == {"search", "random"}
    for figure in (result["final"], result["best_verified"], *result["opened"]):
        assert figure["lo"] <= figure["pgr"] <= figure["hi"]
    assert result["final"]["n"] == 60
    assert "label" not in result["final"]


def test_a_second_opening_is_refused(ended: LabFolder) -> None:
    """And nothing is read for it."""
    finalize(ended, "a")
    before = acts(ended)
    with pytest.raises(Conflict, match="opened already"):
        finalize(ended, "a")
    assert acts(ended) == before


def test_a_killed_opening_goes_on_with_its_own_registration(ended: LabFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was registered stays, also if another method is the best by then."""

    def killed(*args: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "open_private", killed)
        with pytest.raises(KeyboardInterrupt):
            finalize(ended, "a")
    registered = [body for action, body in acts(ended) if action == "final.register"]
    _make_worst(ended, registered[0]["primary"])
    result = finalize(ended, "a")
    assert result["opened"][0]["submission"] == registered[0]["primary"]
    assert [body for action, body in acts(ended) if action == "final.register"] == registered


def _make_worst(lab: LabFolder, submission: int) -> None:
    store = Store(lab.database)
    with store.transaction() as session:
        row = session.get(Submission, submission)
        assert row is not None
        assert row.verdict is not None
        test = row.verdict["test"] | {"acc": {"mean": 0.0, "se": 0.0}}
        row.verdict = row.verdict | {"test": test}
    store.close()


def test_a_later_study_on_the_same_rows_is_labelled(ended: LabFolder) -> None:
    """Private rows are spent by the first opening."""
    assert "label" not in finalize(ended, "a")["final"]
    assert finalize(ended, "b")["final"]["label"] == REUSED
