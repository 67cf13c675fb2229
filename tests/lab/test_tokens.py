"""Tokens: shown once, compared by hash, dead once revoked."""

from __future__ import annotations

import pytest

from aar.errors import Conflict, InputError, NotFound
from aar.lab import studies, tokens
from aar.lab.fakes import person
from aar.lab.services import Lab
from aar.lab.tables import Token
from aar.lab.tokens import NoToken


def test_a_token_opens_as_whom_it_was_made_for(lab: Lab) -> None:
    """Scope, name and study come from the token alone."""
    studies.create(lab, "first", "toy")
    token = tokens.create(lab.store, "ann", study="first")
    who = tokens.verify(lab.store, token)
    assert (who.scope, who.name, who.study) == ("researcher", "ann", "first")
    assert tokens.verify(lab.store, tokens.create(lab.store, "eve", "reviewer")).scope == "reviewer"


def test_only_a_hash_is_stored(lab: Lab) -> None:
    """Nothing on disk gives the token back."""
    token = tokens.create(lab.store, "ann")
    secret = token.rsplit("_", 1)[-1] if token.count("_") == 2 else token.split("_", 2)[2]
    state = lab.folder.database.parent
    assert all(secret.encode() not in path.read_bytes() for path in state.rglob("*") if path.is_file())


@pytest.mark.parametrize("bad", ["", "aar_", "aar_000000000000_" + "A" * 43, "x" * 10_000, "aar_\x00", "Bearer"])
def test_unknown_tokens(lab: Lab, bad: str) -> None:
    """Anything else is refused in the same words."""
    with pytest.raises(NoToken, match="not valid here"):
        tokens.verify(lab.store, bad)


def test_a_changed_secret_is_refused(lab: Lab) -> None:
    """The id alone, with another secret, opens nothing."""
    token = tokens.create(lab.store, "ann")
    other = tokens.create(lab.store, "bob")
    mixed = token[: len("aar_000000000000_")] + other[len("aar_000000000000_") :]
    with pytest.raises(NoToken):
        tokens.verify(lab.store, mixed)


def test_revoked_means_dead(lab: Lab) -> None:
    """From the moment of revoking, and twice is fine; the researcher's socket goes with its last token."""
    token = tokens.create(lab.store, "ann")
    who = tokens.verify(lab.store, token)
    assert tokens.active_researchers(lab.store) == {"ann"}
    tokens.revoke(lab.store, who.token)
    tokens.revoke(lab.store, who.token)
    with pytest.raises(NoToken):
        tokens.verify(lab.store, token)
    assert tokens.active_researchers(lab.store) == set()
    with pytest.raises(NotFound):
        tokens.revoke(lab.store, "none")


@pytest.mark.parametrize("name", ["", "../up", "a/b", "A", "a b", "-a", "a" * 41, "a..b", "é"])
def test_names_that_could_be_paths(lab: Lab, name: str) -> None:
    """A researcher's name becomes a folder, so it cannot climb out of one."""
    with pytest.raises(InputError):
        tokens.create(lab.store, name)


def test_a_name_belongs_to_one_study(lab: Lab) -> None:
    """A second study cannot take over a researcher; a second token for the same one is fine."""
    for name in ("first", "second"):
        studies.create(lab, name, "toy")
    person(lab, "ann", "first")
    assert person(lab, "ann", "first").study == "first"
    assert person(lab, "ann").study == "first"
    with pytest.raises(Conflict):
        person(lab, "ann", "second")


def test_the_owners_token_is_kept_and_renewed(lab: Lab) -> None:
    """The same token each time, in a file for the owner alone; a new one when the old one was revoked."""
    token = lab.owner_token()
    path = lab.folder.sealed / "owner.token"
    assert lab.owner_token() == token
    assert path.stat().st_mode & 0o777 == 0o600
    tokens.revoke(lab.store, tokens.verify(lab.store, token).token)
    assert tokens.verify(lab.store, lab.owner_token()).is_owner
    with lab.store.reading() as session:
        assert session.query(Token).count() == 2


def test_a_study_that_is_not_there_is_said_so(lab: Lab) -> None:
    """The empty name too: found by schemathesis as a 500."""
    for study in ("", "nobody"):
        with pytest.raises(NotFound):
            tokens.create(lab.store, "ann", study=study)
