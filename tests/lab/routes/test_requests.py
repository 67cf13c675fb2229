"""What requests may be: sizes, JSON, errors in one form, and Idempotency-Keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from aar.lab.limits import JSON_CAP, TAR_CAP
from aar.lab.services import Lab
from aar.lab.tables import Attempt

JSON = {"Content-Type": "application/json"}
FINDING = {"kind": "result", "title": "t", "body": "b"}


def error(answer: Any) -> tuple[int, str]:
    """(status, code), after checking the form."""
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "hint"}
    assert all(isinstance(v, str) for v in body["error"].values())
    return answer.status_code, body["error"]["code"]


def test_errors_have_one_form(api: TestClient, ann: dict[str, str]) -> None:
    """Unknown routes, methods, ids, bodies and parameters answer in the same shape."""
    assert error(api.get("/nothing")) == (404, "not_found")
    assert error(api.get("http://lab/")) == (404, "not_found")
    put = api.put("/findings")
    assert error(put) == (405, "method_not_allowed")
    assert put.headers["allow"] in ("GET", "POST", "GET, POST")
    assert error(api.get("/findings/99", headers=ann)) == (404, "not_found")
    assert error(api.get("/findings/x", headers=ann)) == (422, "bad_input")
    assert error(api.get("/findings/99999999999999999999999", headers=ann)) == (422, "bad_input")
    assert error(api.get("/findings?limit=-1", headers=ann)) == (422, "bad_input")
    assert error(api.post("/findings", headers=ann, json={})) == (422, "bad_input")
    assert error(api.get("/leaderboard?problem=no", headers=ann)) == (404, "unknown_problem")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "bad_json"),
        (b"\xff\xfe{}", "bad_json"),
        (b"[" * 100_000, "bad_json"),
        (b'{"a":' * 50_000, "bad_json"),
        (b"9" * 5_000, "bad_json"),
        (b'{"problem":"toy","predictions":{"r0":NaN}}', "not_finite"),
        (b'{"problem":"toy","predictions":{"r0":-Infinity}}', "not_finite"),
        (b'{"problem":"toy","predictions":{"r0":1,"r0":0}}', "duplicate_ids"),
        (b'{"problem":"toy","predictions":{"\\ud800":1}}', "bad_text"),
        (b'{"problem":"t\\u0000y","predictions":{"r0":1}}', "bad_text"),
    ],
)
def test_json_that_readers_disagree_about(api: TestClient, ann: dict[str, str], body: bytes, code: str) -> None:
    """Broken, deep, huge, NaN, repeated keys, half surrogates, NUL: 400 with the rule's name."""
    assert error(api.post("/evaluations", content=body, headers=ann | JSON)) == (400, code)


def test_escapes_that_are_harmless_pass(api: TestClient, ann: dict[str, str]) -> None:
    """A whole surrogate pair, and the six characters `\\u0000` written out, are text like any other."""
    body = b'{"kind":"result","title":"t","body":"\\ud83d\\ude00 \\\\u0000"}'
    answer = api.post("/findings", content=body, headers=ann | JSON)
    assert (answer.status_code, answer.json()["body"]) == (201, "\U0001f600 \\u0000")


@pytest.mark.parametrize("value", ["1e999", "-0.1", "1.1", "null", '"x"', "[]", "1e-999999"])
def test_predictions_that_are_no_probability(api: TestClient, ann: dict[str, str], value: str) -> None:
    """Each is 422, except a tiny number, which is 0, and so a vector with nine ids missing."""
    body = f'{{"problem":"toy","predictions":{{"r0":{value}}}}}'.encode()
    assert error(api.post("/evaluations", content=body, headers=ann | JSON))[0] == 422


def test_caps_before_parsing(api: TestClient, ann: dict[str, str]) -> None:
    """2 MB of JSON, 6 MB of tar, of stated and of hidden length."""
    assert error(api.post("/findings", content=b" " * (JSON_CAP + 1), headers=ann | JSON)) == (413, "too_large")
    assert error(api.post("/snapshots", content=b" " * (TAR_CAP + 1), headers=ann)) == (413, "too_large")
    assert error(api.post("/findings", content=b" " * JSON_CAP, headers=ann | JSON)) == (400, "bad_json")

    def hidden() -> Iterator[bytes]:
        yield from [b" " * 100_000] * 30

    assert error(api.post("/findings", content=hidden(), headers=ann | JSON)) == (413, "too_large")


def test_a_finding_of_200000_characters_fits(api: TestClient, ann: dict[str, str]) -> None:
    """The largest allowed body passes the cap even where every character takes six bytes; one more is named."""
    body = json.dumps(FINDING | {"body": "\u00e9" * 200_000})
    assert len(body) > 1_200_000
    made = api.post("/findings", content=body, headers=ann | JSON)
    assert made.status_code == 201
    assert len(api.get(f"/findings/{made.json()['id']}", headers=ann).json()["body"]) == 200_000
    assert error(api.post("/findings", json=FINDING | {"body": "x" * 200_001}, headers=ann)) == (422, "too_long")


def test_evaluating(evaluate: Callable[..., Any], lab: Lab) -> None:
    """The answer's five fields, a duplicate that costs nothing, the errors, and a log of every attempt."""
    first = evaluate()
    assert first.status_code == 200
    assert set(first.json()) == {"status", "pgr", "accuracy", "duplicate", "budget_left"}
    assert evaluate().json() == first.json() | {"duplicate": True}
    assert error(evaluate({"r0": 1})) == (422, "wrong_ids")
    assert error(evaluate(problem="no")) == (404, "unknown_problem")
    with lab.store.reading() as session:
        outcomes = [a.outcome for a in session.query(Attempt).order_by(Attempt.id)]
    assert outcomes == [first.json()["status"], "duplicate", "wrong_ids", "unknown_problem"]


def test_the_same_key_is_answered_once(evaluate: Callable[..., Any], api: TestClient, lab: Lab) -> None:
    """Same body: same answer, uncharged. Another body: 409. Another key: a call of its own."""
    first = evaluate(key="k")
    again = evaluate(key="k")
    assert again.json() == first.json()
    assert (again.headers["idempotent-replay"], "idempotent-replay" in first.headers) == ("true", False)
    assert error(evaluate({"r0": 1}, key="k")) == (409, "key_reused")
    other = {f"r{i}": float(i % 2) for i in range(10)}
    assert evaluate(other, key="k2").json()["budget_left"] == first.json()["budget_left"] - 1


def test_keys_belong_to_their_owner_and_route(api: TestClient, ann: dict[str, str], lab: Lab) -> None:
    """Another researcher's, or another route's, same key is not the same call."""
    from aar.lab.fakes import bearer

    key = {"Idempotency-Key": "k"}
    first = api.post("/findings", json=FINDING, headers=ann | key).json()["id"]
    assert api.post("/findings", json=FINDING, headers=ann | key).json()["id"] == first
    assert api.post("/findings", json=FINDING, headers=bearer(lab, "bob") | key).json()["id"] != first
    assert api.post(f"/findings/{first}/comments", json={"body": "x"}, headers=ann | key).status_code == 201
    assert len(api.get("/findings", headers=ann).json()) == 2


def test_a_failed_call_keeps_no_answer(evaluate: Callable[..., Any]) -> None:
    """After an error the same key can be used for the corrected body."""
    assert evaluate({"r0": 1}, key="k").status_code == 422
    assert evaluate(key="k").status_code == 200


@pytest.mark.parametrize("key", ["", "x" * 129, "a b", "é".encode().decode("latin-1")])
def test_odd_keys(api: TestClient, ann: dict[str, str], key: str) -> None:
    """A key is short printable ASCII."""
    answer = api.post("/findings", json=FINDING, headers=ann | {"Idempotency-Key": key.encode("latin-1")})  # type: ignore[dict-item]
    assert error(answer) == (422, "bad_key")


def test_a_bug_is_a_clean_500(api: TestClient, ann: dict[str, str], lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected exception tells nothing about itself."""

    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(lab.scorer, "problems", broken)
    answer = api.get("/problems", headers=ann)
    assert error(answer) == (500, "lab_fault")
    assert "secret" not in answer.text
