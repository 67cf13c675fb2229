"""The lab secret and what is derived from it: random generators, ids, orders.

Everything random about a testbed comes from these 32 bytes, so that the installed package and a seed are not
enough to rebuild the labels, while the same secret gives the same bytes again. Philox is used, not the default
PCG64, because public rows show draws of the generator and no way is known to recover a Philox key from them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path

import numpy as np

from aar.errors import LabError
from aar.settings import LabFolder

SECRET_BYTES = 32


def lab_secret(lab: LabFolder) -> bytes:
    """The lab's 32 secret bytes; drawn on first use and kept in `lab.secret` (0600)."""
    private_folder(lab.sealed)
    if not lab.secret.exists():
        _write_once(lab.secret, secrets.token_bytes(SECRET_BYTES))
    secret = lab.secret.read_bytes()
    if len(secret) != SECRET_BYTES:
        raise LabError(
            f"{lab.secret} holds {len(secret)} bytes, not {SECRET_BYTES}",
            code="bad_secret",
            hint="restore it from a backup; without it no testbed of this lab can be rebuilt",
        )
    return secret


def private_folder(path: Path) -> Path:
    """Make `path` a folder that only this account may enter (0700), with its parents."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    return path


def keyed_digest(secret: bytes, *names: str | int) -> bytes:
    """HMAC-SHA256 of the names; unambiguous, ("a", "bc") and ("ab", "c") differ."""
    message = json.dumps([str(name) for name in names]).encode()
    return hmac.new(secret, message, hashlib.sha256).digest()


def keyed_rng(secret: bytes, *names: str | int) -> np.random.Generator:
    """A random generator of its own for each tuple of names."""
    key = int.from_bytes(keyed_digest(secret, "rng", *names)[:16], "big")
    return np.random.Generator(np.random.Philox(key=key))


def keyed_id(secret: bytes, *names: str | int) -> str:
    """20 hex digits that tell nothing about the names to whoever lacks the secret."""
    return keyed_digest(secret, "id", *names).hex()[:20]


def _write_once(path: Path, data: bytes) -> None:
    """Create `path` whole or leave the one that another process created in the meantime."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
