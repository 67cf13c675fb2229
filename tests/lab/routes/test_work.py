"""A researcher's and an owner's work over HTTP: submit, look, download, review, stop."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from aar.lab import queue
from aar.lab.archive import extract, pack_files
from aar.lab.fakes import METHOD, bearer
from aar.lab.services import Lab


def test_a_submission_from_tar_to_board(
    api: TestClient, submit: Callable[..., Any], ann: dict[str, str], owner: dict[str, str], lab: Lab
) -> None:
    """202 with an id, queued, rerun, verified, ranked; exact figures for the owner alone, and each look is logged."""
    made = submit(claimed=0.9)
    assert made.status_code == 202
    id_ = made.json()["id"]
    assert api.get(f"/submissions/{id_}", headers=ann).json()["state"] == "queued"
    job = queue.claim(lab.store, "worker")
    assert job is not None
    assert lab.code.get(job.snapshot) == METHOD
    queue.finish(
        lab.store,
        job,
        {"acc": 0.71234, "evidence": ["e"]},
        {"status": "improved", "pgr": 0.5},
        [queue.SeedRun(7, 0.71234)],
    )
    row = api.get(f"/submissions/{id_}", headers=ann).json()
    assert (row["state"], row["verdict"]["pgr"], row["claimed"]) == ("verified", 0.5, 0.9)
    board = api.get("/leaderboard", params={"problem": "toy"}, headers=ann).text
    assert "0.71234" not in json.dumps(row) + board
    looked = api.get(f"/submissions/{id_}/exact", headers=owner).json()
    assert (looked["exact"]["acc"], looked["runs"][0]["seed"]) == (0.71234, 7)
    last = json.loads(lab.audit.path.read_bytes().splitlines()[-1])
    assert (last["action"], last["body"]) == ("look.exact", {"submission": id_})


def test_a_submission_is_private_to_its_author(api: TestClient, submit: Callable[..., Any], lab: Lab) -> None:
    """Another researcher gets 404, and does not find it listed."""
    id_ = submit().json()["id"]
    bob = bearer(lab, "bob")
    assert api.get(f"/submissions/{id_}", headers=bob).status_code == 404
    assert api.get("/submissions", headers=bob).json() == []


def test_submitting_a_stored_snapshot(api: TestClient, submit: Callable[..., Any], ann: dict[str, str]) -> None:
    """A snapshot that is a method can be submitted by its id; one that is not, or nothing at all, cannot."""
    method = api.post("/snapshots", content=pack_files(METHOD), headers=ann).json()["id"]
    notes = api.post("/snapshots", content=pack_files({"notes.md": b"n"}), headers=ann).json()["id"]
    assert submit(b"", snapshot=method).json()["snapshot"] == method
    assert submit(b"", snapshot=notes).json()["error"]["code"] == "no_method"
    assert submit(b"").json()["error"]["code"] == "no_method"
    assert submit(b"", snapshot="0" * 40).status_code == 404


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"not a tar", "bad_archive"),
        (pack_files({"other.py": b""}), "no_method"),
        (pack_files(METHOD | {"torch.py": b""}), "shadows_package"),
        (pack_files(METHOD | {"../up.py": b""}), "bad_name"),
    ],
)
def test_archives_that_are_refused(submit: Callable[..., Any], content: bytes, code: str, lab: Lab) -> None:
    """422 with the reason, and nothing is queued."""
    answer = submit(content)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)
    assert queue.claim(lab.store, "w") is None


def test_a_form_is_not_a_tar(api: TestClient, ann: dict[str, str]) -> None:
    """A multipart form is refused with what to send instead."""
    answer = api.post("/submissions?problem=toy&name=m", files={"f": b"x"}, headers=ann)
    assert answer.status_code == 415
    assert "application/octet-stream" in answer.json()["error"]["hint"]


def test_snapshots_come_back_as_they_went(api: TestClient, ann: dict[str, str]) -> None:
    """Upload, look, list, download; parents are kept."""
    first = api.post("/snapshots", params={"note": "one"}, content=pack_files(METHOD), headers=ann).json()
    child = api.post("/snapshots", params={"parent": first["id"]}, content=pack_files({"a": b"1"}), headers=ann).json()
    assert api.get(f"/snapshots/{child['id']}", headers=ann).json()["parents"] == [first["id"]]
    assert [s["id"] for s in api.get("/snapshots", headers=ann).json()] == [child["id"], first["id"]]
    assert extract(api.get(f"/snapshots/{first['id']}/archive", headers=ann).content) == METHOD
    assert api.post("/snapshots?parent=nope", content=pack_files(METHOD), headers=ann).status_code == 404


def test_an_owners_day(api: TestClient, owner: dict[str, str], lab: Lab) -> None:
    """Open a study, add a researcher, see it work, charge it, stop it, check the log."""
    assert api.post("/studies", json={"name": "one", "problem": "toy"}, headers=owner).status_code == 201
    assert api.post("/studies", json={"name": "one", "problem": "toy"}, headers=owner).status_code == 409
    made = api.post("/tokens", json={"name": "ann", "study": "one", "direction": "try CCS"}, headers=owner).json()
    ann = {"Authorization": f"Bearer {made['token']}"}
    finding = {"kind": "insight", "title": "t", "body": "b"}
    assert api.post("/findings", json=finding, headers=ann).json()["study"] == "one"
    assert api.get("/studies/one", headers=owner).json()["researchers"][0]["direction"] == "try CCS"
    charge = {"kind": "llm", "study": "one", "researcher": "ann", "usd": 0.5}
    assert api.post("/ledger", json=charge, headers=owner).status_code == 201
    assert api.get("/budget", headers=ann).json()["spent"][0]["usd"] == 0.5
    assert api.get("/ledger?study=one", headers=owner).json()[0]["usd"] == 0.5
    assert api.post("/studies/one/stop", headers=owner).json()["state"] == "stopped"
    refused = api.post("/findings", json=finding, headers=ann)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "study_stopped")
    listed = api.get("/tokens", headers=owner).json()
    assert made["token"] not in json.dumps(listed)
    id_ = next(t["id"] for t in listed if t["name"] == "ann")
    assert api.delete(f"/tokens/{id_}", headers=owner).status_code == 204
    assert api.get("/findings", headers=ann).status_code == 401
    assert api.get("/audit", headers=owner).json()["ok"] is True


def test_reviews(api: TestClient, submit: Callable[..., Any], lab: Lab, ann: dict[str, str]) -> None:
    """A reviewer sees what waits with its evidence, decides with a reason; the look and the decision are logged."""
    reviewer = bearer(lab, "rev", "reviewer")
    id_ = submit().json()["id"]
    job = queue.claim(lab.store, "w")
    assert job is not None
    queue.finish(lab.store, job, {"evidence": ["reads the canary"]}, {"pgr": 1.0}, review=True)
    (waiting,) = api.get("/reviews", headers=reviewer).json()
    assert (waiting["submission"], waiting["evidence"]) == (id_, ["reads the canary"])
    decision = {"submission": id_, "decision": "disqualify", "reason": "cheats"}
    assert api.post("/reviews", json=decision, headers=reviewer).status_code == 201
    assert api.get(f"/submissions/{id_}", headers=ann).json()["state"] == "disqualified"
    log = lab.audit.path.read_text()
    assert "look.evidence" in log
    assert "review.disqualify" in log


def test_events_from_where_one_left(api: TestClient, ann: dict[str, str]) -> None:
    """Last-Event-ID goes on after it; odd values are treated as none."""
    for title in ("one", "two"):
        api.post("/findings", json={"kind": "insight", "title": title, "body": "b"}, headers=ann)
    first = api.get("/events?follow=false", headers=ann)
    assert first.headers["content-type"].startswith("text/event-stream")
    assert first.text.count("event: finding.new") == 2
    rest = api.get("/events?follow=false", headers=ann | {"Last-Event-ID": "1"}).text
    assert "two" in rest
    assert "one" not in rest
    for odd in ("x", "-1", "9" * 20, "\u00b2".encode("latin-1")):
        assert api.get("/events?follow=false", headers=ann | {"Last-Event-ID": odd}).status_code == 200  # type: ignore[dict-item]
