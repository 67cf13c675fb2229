"""Attacks over HTTP, each with its defence on and off: without it they win, with it they do not."""

from __future__ import annotations

import pytest

from aar.attacks.field import campaign
from aar.attacks.field.attack import attacks
from aar.attacks.field.campaign import Outcome
from aar.attacks.field.ground import Outside, SmallLab
from aar.attacks.field.range import Range

BOTH_MODES = {
    "guessed tokens": "401 unauthorized",
    "another's token on one's own socket": "403 wrong_socket",
    "replayed keys": "409 key_reused",
    "fifty on the last unit": "429 budget_spent",
    "draining others' budgets": "429 budget_spent",
    "a PGR of 99": "only reruns rank",
    "malformed bodies": "400 duplicate_ids",
    "a climbing name": "422 bad_name",
    "a repository in the tar": "422 bad_name",
}


def no_range() -> Range:
    raise AssertionError("an attack over HTTP needs no planted testbed")


def fought(name: str, redraws: int = 2) -> Outcome:
    with campaign._quiet():
        return campaign.one(attacks.get(name), redraws, no_range, say=lambda line: None)


@pytest.mark.parametrize("name", BOTH_MODES)
def test_an_attack_works_without_its_defence_and_not_with_it(name: str) -> None:
    """And the report names what stopped it."""
    outcome = fought(name)
    assert (outcome.works_undefended, outcome.result) == (True, "prevented"), outcome
    assert BOTH_MODES[name] in outcome.by


def test_labels_are_read_from_exact_answers_and_not_from_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the app, every request authenticated and committed; two draws of the labels, one for the control."""
    monkeypatch.setattr(campaign, "CONTROL", 1)
    outcome = fought("bisection")
    assert (outcome.works_undefended, outcome.result, outcome.redraws) == (True, "prevented", 2), outcome
    assert outcome.undefended.startswith("+")
    assert outcome.bound is not None


def test_a_target_is_attacked_with_a_token_alone() -> None:
    """Only attacks that need nothing else, a bounded number of requests, and nothing is left behind."""
    wanted = campaign.chosen([], remote=True)
    assert {"guessed tokens", "a climbing name", "odd addresses"} <= {a.name for a in wanted}
    assert not {a.family for a in wanted} & {"extraction", "cheating methods", "races"}
    lab = SmallLab()
    try:
        problem, _ = lab.draw([0, 1] * 200, "rows")  # type: ignore[arg-type]
        eve = lab.person("eve")
        found = list(campaign.run(wanted, redraws=2, target=(eve, problem), say=lambda line: None))
        assert {(o.result, o.works_undefended) for o in found} == {("prevented", None)}, found
        assert eve.sent < 200
        assert Outside(lab.where, eve.token).client.findings() == []
        assert Outside(lab.where, eve.token).client.snapshots() == []
    finally:
        lab.close()
