"""Bearer tokens: made, checked, revoked. Only a hash is stored, so a token is shown once, when it is made.

A token reads `aar_<id>_<secret>`; the id finds the row, the secret is compared in constant time. Scopes do not
include one another: a researcher's token opens researcher routes as that researcher, and nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from aar.errors import Conflict, InputError, NotFound, Refused
from aar.lab.store import Store
from aar.lab.tables import SCOPES, Researcher, Study, Token, now

TOKEN = sa.select(Token.__table__).where(Token.__table__.c.id == sa.bindparam("id"))
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
UNSANDBOXED = "unsandboxed"  # the kind of a researcher who could read the lab's folder: it may play, it never ranks


class NoToken(Refused):
    """No or no valid token: who is asking is not known."""

    status, default_code = 401, "unauthorized"


@dataclass(frozen=True)
class Identity:
    """Who is asking. `name` is the researcher's, or the token's for owners and reviewers."""

    scope: str
    name: str
    study: str | None = None
    token: str = ""

    @property
    def is_owner(self) -> bool:
        return self.scope == "owner"


def checked_name(name: str, noun: str = "researcher") -> str:
    """Names become folder and socket names, so they are short and plain."""
    if not NAME.fullmatch(name) or ".." in name:
        raise InputError(
            f"{name[:60]!r} cannot name a {noun}",
            code="bad_name",
            hint="1 to 40 of a-z 0-9 . _ -, starting with a-z 0-9",
        )
    return name


def create(
    store: Store,
    name: str,
    scope: str = "researcher",
    study: str | None = None,
    direction: str = "",
    kind: str = "external",
) -> str:
    """Make a token and, for the researcher scope, the researcher `name`. The answer is the only copy."""
    if scope not in SCOPES:
        raise InputError(f"no scope {scope!r}", hint=f"known: {', '.join(SCOPES)}")
    checked_name(name)
    id_, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    with store.transaction() as session:
        if study is not None and session.get(Study, study) is None:
            raise NotFound(f"no study {study!r}", hint="make it with `aar study new`")
        researcher = None
        if scope == "researcher":
            researcher = add_researcher(store, name, study, direction, kind)
            study = study or researcher.study
        row = Token(id=id_, hash=_hash(secret), name=name, scope=scope, study=study)
        row.researcher = researcher.name if researcher else None
        session.add(row)
        store.record("owner", "token.create", id=id_, name=name, scope=scope, study=study)
    return f"aar_{id_}_{secret}"


def add_researcher(
    store: Store, name: str, study: str | None, direction: str = "", kind: str = "external"
) -> Researcher:
    """The researcher of this name, made if new. Conflict if the name belongs to another study. Once UNSANDBOXED, always."""
    checked_name(name)
    with store.transaction() as session:
        known = session.get(Researcher, name)
        if known is None:
            known = Researcher(name=name, study=study, direction=direction, kind=kind)
            session.add(known)
            session.flush()
        elif study and known.study != study:
            raise Conflict(f"researcher {name!r} belongs to study {known.study!r}", hint="choose another name")
        if kind == UNSANDBOXED:
            known.kind = kind
        return known


def verify(store: Store, token: str) -> Identity:
    """Who holds this token. NoToken if it is unknown, wrong or revoked; which of these is not told."""
    match = re.fullmatch(r"aar_([0-9a-f]{12})_([A-Za-z0-9_-]{43})", token)
    with store.reading() as session:
        row = session.connection().execute(TOKEN, {"id": match[1]}).first() if match else None
    stored = row.hash if row else _hash("")
    fits = hmac.compare_digest(stored, _hash(match[2] if match else "no token"))
    if not fits or row is None or row.revoked:
        raise NoToken("this token is not valid here", hint="ask the lab's owner for one: `aar token create NAME`")
    return Identity(row.scope, row.researcher or row.name, row.study, row.id)


def revoke(store: Store, token_id: str) -> None:
    """The token stops working at once. Revoking twice is fine."""
    with store.transaction() as session:
        row = session.get(Token, token_id)
        if row is None:
            raise NotFound(f"no token {token_id[:40]!r}", hint="GET /api/v1/tokens lists them")
        row.revoked = row.revoked or now()
        store.record("owner", "token.revoke", id=token_id, name=row.name)


def is_valid(store: Store, token_id: str) -> bool:
    """Whether a token that was verified before still works."""
    with store.reading() as session:
        row = session.get(Token, token_id)
        return row is not None and row.revoked is None


def listed(store: Store) -> list[Token]:
    with store.reading() as session:
        return list(session.scalars(sa.select(Token).order_by(Token.created)))


def active_researchers(store: Store) -> set[str]:
    """Researchers who hold a token that works: each gets a socket."""
    query = sa.select(Token.researcher).where(Token.revoked.is_(None), Token.researcher.is_not(None))
    with store.reading() as session:
        return {name for name in session.scalars(query) if name}


def owner_token(store: Store, path: Path) -> str:
    """The owner's own token, made once and kept in the sealed folder for the command line."""
    if path.exists():
        token = path.read_text().strip()
        try:
            verify(store, token)
            return token
        except NoToken:
            path.unlink()  # the database was made anew or the token revoked
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    token = create(store, "owner", "owner")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(token + "\n")
    return token


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()  # 256 random bits need no slow hash
