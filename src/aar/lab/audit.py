"""The audit log: append-only JSON lines, each holding the hash of the one before, signed, with a signed head.

    {"seq", "time", "actor", "action", "body", "ref", "prev", "hash", "sig"}

The head (how long the log is, and its last hash) is kept twice: beside the log, and outside the lab folder, so that
cutting the end off needs both. An entry is on disk before the act is answered; entries that wait together share
one fsync. Who holds the signing key can rewrite everything: keep a copy of the head elsewhere against that.
`ref` is the last database row that is in the log, see `drain`. Knows nothing about what the acts mean.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from aar.errors import ProviderDown
from aar.lab.store import Store
from aar.lab.tables import AuditEntry, now

START = "0" * 64
TAIL = 1 << 16
BATCH = 1000


ENTRIES = AuditEntry.__table__.c
COLUMNS = (ENTRIES.actor, ENTRIES.action, ENTRIES.body, ENTRIES.id, ENTRIES.created)
NEXT = sa.select(*COLUMNS).where(ENTRIES.id > sa.bindparam("ref")).order_by(ENTRIES.id).limit(BATCH)


@dataclass(frozen=True)
class Head:
    seq: int = 0
    hash: str = START
    ref: int = 0


@dataclass(frozen=True)
class AuditReport:
    """What `verify` found. `problems` name the entries; empty means that the log is whole."""

    entries: int
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems


class AuditLog:
    """`AuditLog(log file, key file).append("owner", "study.stop", {"study": "first"})`."""

    def __init__(self, path: Path, key_path: Path, head_outside: Path | None = None) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.key = _load_key(key_path)
        self.head_beside = path.with_suffix(".head")
        self.head_outside = head_outside or state_folder() / f"{self.fingerprint}.head"
        self._lock = threading.Lock()
        self._last: tuple[tuple[int, ...], Head] | None = None  # the file as we left it, and its head
        self._open()

    @property
    def fingerprint(self) -> str:
        """Names the lab by its public key, wherever its folder is moved."""
        public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return hashlib.sha256(public).hexdigest()[:16]

    def append(self, actor: str, action: str, body: dict[str, Any] | None = None) -> int:
        """Write one entry; on disk when this returns. Gives its number."""
        return self.append_many([(actor, action, body or {})])

    def append_many(self, acts: list[tuple[str, str, dict[str, Any]]]) -> int:
        """Write entries in this order with one fsync. Gives the number of the last one."""
        with self._exclusive() as (file, head):
            return self._write(file, head, [(actor, action, body, head.ref, now()) for actor, action, body in acts]).seq

    def drain(self, store: Store) -> None:
        """Copy what the database recorded and the log does not hold yet. Callers that wait here share the work."""
        with self._exclusive() as (file, head):
            rows = _rows_after(store, head.ref)
            while rows:
                head = self._write(file, head, rows)
                rows = _rows_after(store, head.ref) if len(rows) == BATCH else []

    def verify(self) -> AuditReport:
        """Names every entry that was removed, cut off, changed or moved."""
        with open(self.path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            lines = file.read().splitlines()
            heads = {path: self._read_head(path) for path in (self.head_beside, self.head_outside)}
        entries = [_parse(line) for line in lines]
        lost = [f"the signed head {path} is missing or forged" for path, head in heads.items() if lines and not head]
        head = max((h for h in heads.values() if h), key=lambda h: h.seq, default=Head())
        problems = [*_order_problems(entries, head), *_chain_problems(entries)]
        if problems or lost or not entries or (last := entries[-1]) is None or last["hash"] != head.hash:
            problems += self._signature_problems(entries)
        return AuditReport(len(lines), [*lost, *problems])

    # -- writing

    @contextmanager
    def _exclusive(self) -> Iterator[tuple[IO[bytes], Head]]:
        with self._lock, open(self.path, "ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file, self._tail(file)

    def _write(self, file: IO[bytes], head: Head, acts: list[tuple[str, str, dict[str, Any], int, str]]) -> Head:
        lines = []
        for actor, action, body, ref, time in acts:
            entry = {"seq": head.seq + 1, "time": time, "actor": actor, "action": action, "body": body}
            entry |= {"ref": ref, "prev": head.hash}
            head = Head(head.seq + 1, _hash(entry), ref)
            lines.append(_canonical(entry | {"hash": head.hash, "sig": self._sign(head.hash)}) + b"\n")
        size = file.seek(0, os.SEEK_END)
        try:
            file.write(b"".join(lines))
            file.flush()
            os.fsync(file.fileno())
            for path in (self.head_beside, self.head_outside):
                self._write_head(path, head)
            self._last = _state(file), head
        except OSError as e:
            os.ftruncate(file.fileno(), size)
            raise ProviderDown(
                f"the audit log cannot be written ({e})", code="disk_full", hint="free space on the lab's disk"
            ) from e
        return head

    def _tail(self, file: IO[bytes]) -> Head:
        if self._last and self._last[0] == _state(file):
            return self._last[1]  # nobody has touched the file since we wrote
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - TAIL))
        lines = file.read().splitlines()
        if size > TAIL and len(lines) < 2:
            file.seek(0)
            lines = file.read().splitlines()
        if not lines:
            return self._read_head(self.head_beside) or Head()
        last = _parse(lines[-1])
        head = self._read_head(self.head_beside) or Head()
        if last is None or last["seq"] < head.seq:
            return head  # the log was tampered with: go on after what was signed, so that the gap stays visible
        return Head(last["seq"], last["hash"], last["ref"])

    def _open(self) -> None:
        """Cut off a line that a crash left half-written, and note it in the log when the head outside is gone."""
        new = not self.path.exists()
        with open(self.path, "ab+") as file:
            os.fchmod(file.fileno(), 0o600)
            fcntl.flock(file, fcntl.LOCK_EX)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 4 * TAIL))
            tail = file.read()
            if tail and not tail.endswith(b"\n"):
                os.ftruncate(file.fileno(), size - len(tail) + tail.rfind(b"\n") + 1)
        if not new and self._read_head(self.head_outside) is None:
            self.append("lab", "audit.head_missing", {"path": str(self.head_outside)})

    # -- signatures

    def _sign(self, text: str) -> str:
        return self.key.sign(text.encode()).hex()

    def _signed(self, text: str, signature: str) -> bool:
        try:
            self.key.public_key().verify(bytes.fromhex(signature), text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True

    def _write_head(self, path: Path, head: Head) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = f"{head.seq} {head.hash} {head.ref}"
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        with open(temporary, "w") as file:
            file.write(f"{text}\n{self._sign('head ' + text)}\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)

    def _read_head(self, path: Path) -> Head | None:
        try:
            text, signature = path.read_text().splitlines()
            seq, hash_, ref = text.split()
            return Head(int(seq), hash_, int(ref)) if self._signed("head " + text, signature) else None
        except (OSError, ValueError):
            return None

    def _signature_problems(self, entries: list[dict[str, Any] | None]) -> list[str]:
        forged = [e["seq"] for e in entries if e and e["hash"] == _hash(e) and not self._signed(e["hash"], e["sig"])]
        return [f"entry {seq} was rewritten: this lab did not sign it" for seq in forged]


def state_folder() -> Path:
    """Outside every lab folder: `$AAR_STATE`, else the user's state folder."""
    base = os.environ.get("XDG_STATE_HOME", "~/.local/state")
    return Path(os.environ.get("AAR_STATE") or f"{base}/aar").expanduser()


def _state(file: IO[bytes]) -> tuple[int, ...]:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _rows_after(store: Store, ref: int) -> list[tuple[str, str, dict[str, Any], int, str]]:
    with store.reading() as session:
        return [tuple(row) for row in session.connection().execute(NEXT, {"ref": ref})]


def _order_problems(entries: list[dict[str, Any] | None], head: Head) -> list[str]:
    there = [e["seq"] for e in entries if e]
    unreadable = [f"line {i} is not an entry: it was changed" for i, e in enumerate(entries, 1) if e is None]
    end = max(there, default=0)
    problems = [f"entry {seq} was removed" for seq in sorted(set(range(1, end + 1)) - set(there))]
    problems += [f"entry {seq} was cut off the end" for seq in range(end + 1, head.seq + 1)]
    highest, twice = 0, set()
    for seq in there:
        if seq in twice:
            problems.append(f"entry {seq} appears twice")
        elif seq < highest:
            problems.append(f"entry {seq} was moved: it stands after entry {highest}")
        twice.add(seq)
        highest = max(highest, seq)
    return unreadable + problems


def _chain_problems(entries: list[dict[str, Any] | None]) -> list[str]:
    problems = [f"entry {e['seq']} was changed" for e in entries if e and e["hash"] != _hash(e)]
    hashes = {e["seq"]: e["hash"] for e in entries if e} | {0: START}
    for e in entries:
        if e and e["seq"] - 1 in hashes and e["prev"] != hashes[e["seq"] - 1]:
            problems.append(f"entry {e['seq']} does not follow from entry {e['seq'] - 1}")
    return problems


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
        ok = isinstance(entry["seq"], int) and all(isinstance(entry[k], str) for k in ("prev", "hash", "sig"))
        return entry if ok and isinstance(entry["ref"], int) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _canonical(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()


def _hash(entry: dict[str, Any]) -> str:
    return hashlib.sha256(_canonical({k: v for k, v in entry.items() if k not in ("hash", "sig")})).hexdigest()


def _load_key(path: Path) -> Ed25519PrivateKey:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(Ed25519PrivateKey.generate().private_bytes_raw())
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            pass  # another process made it first
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
