"""The final lane of a study: registered first, opened once, labelled where it is not the first look."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from aar.errors import Conflict
from aar.lab.store import Store
from aar.lab.tables import AuditEntry, Submission
from aar.scoring.rerun import LIMITS, RerunRules
from aar.settings import LabFolder
from aar.studies import finalize as module
from aar.studies.finalize import REUSED, finalize
from aar.studies.programs import program, programs
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


def test_the_best_two_run_on_unseen_problems(ended: LabFolder) -> None:
    """Each on every transfer problem; who they are was registered before anything was opened. (The problem that stands in
    for an unseen one is the study's own, so it is said to be seen.)"""
    _transfers_to_its_own(ended)
    result = finalize(ended, "a")
    primary, second = result["opened"][0]["submission"], result["runner_up"]["submission"]
    registered = next(body for action, body in acts(ended) if action == "final.register")
    assert (registered["primary"], registered["runner_up"]) == (primary, second)
    assert second != primary
    assert second in [row["submission"] for row in result["opened"]]
    for moved in (result["transfer"], result["runner_up"]["transfer"]):
        (figure,) = moved.values()
        assert figure["lo"] <= figure["pgr"] <= figure["hi"]
        assert figure["seen"]
    assert result["transfer"] != result["runner_up"]["transfer"]


def test_a_method_that_cannot_run_elsewhere(ended: LabFolder) -> None:
    """That is its result there, in the lab's words; it stops nothing."""
    _transfers_to_its_own(ended)
    result = finalize(ended, "a", rules=RerunRules(limits=replace(LIMITS, wall_s=0.2)))
    assert {figure["pgr"] for figure in result["transfer"].values()} == {None}
    assert "did not return" in next(iter(result["transfer"].values()))["not_scored"]
    assert result["final"]["pgr"] is not None


def _transfers_to_its_own(lab: LabFolder) -> None:
    path = StudyFolder(lab, "a").root / "spec.json"
    spec = json.loads(path.read_text())
    path.write_text(json.dumps(spec | {"transfer": [spec["problem"]]}))


def test_two_methods_are_one_program() -> None:
    """Prose, comments and layout aside; another parameter is another program; what does not parse stands for itself."""
    one = '"""By ann."""\nP = {"q": 1}\n\ndef run(task):\n    """Runs."""\n    return f(task, **P)\n'
    assert program(one) == program(
        '"""By bob, later."""\nP = {\n  "q": 1,\n}  # mine\ndef run(task): return f(task, **P)'
    )
    assert program(one) != program(one.replace("1", "2"))
    assert program("def (") == "def ("
    assert programs({"method.py": b"x", "notes.txt": b"1"}) == programs({"method.py": b"x  # y", "notes.txt": b"2"})
