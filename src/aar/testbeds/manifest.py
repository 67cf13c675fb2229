"""What a testbed folder says about itself, and whether it still is what was sealed.

Two manifests: the public one (kind, counts, checksums, source) and the sealed one, which also holds the public
one's checksum, so that neither folder can be replaced alone unnoticed. Reads no row and no label.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aar.errors import InputError, LabError, NotFound
from aar.settings import LabFolder
from aar.types import Kind

MANIFEST = "manifest.json"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Manifest:
    """The public manifest. counts: rows of every split; ceiling: the unlabeled rows have sealed gold labels."""

    name: str
    kind: Kind
    counts: dict[str, int]
    ceiling: bool
    files: dict[str, str]
    source: dict[str, Any]
    notes: tuple[str, ...]
    created_with: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class SealedManifest:
    """label_set: the same for every copy of the same test rows, whatever the testbed is called."""

    name: str
    label_set: str
    public_manifest: str
    files: dict[str, str]


def checked_name(name: str) -> str:
    """The name, if it can be a folder and a part of `testbed@teacher/student`."""
    if not NAME.fullmatch(name):
        raise InputError(
            f"{name!r} cannot name a testbed", hint="use up to 64 lower-case letters, digits and . _ -, e.g. my-math"
        )
    return name


def list_testbeds(lab: LabFolder) -> list[str]:
    """The testbeds that are built or imported in this lab."""
    return sorted(path.parent.name for path in lab.testbed("x").parent.glob(f"[!.]*/{MANIFEST}"))


def read_manifest(lab: LabFolder, name: str) -> Manifest:
    if not (lab.testbed(checked_name(name)) / MANIFEST).is_file():
        known = ", ".join(list_testbeds(lab)) or "none yet"
        hint = f"in this lab: {known}. `aar testbed build {name}` or `aar testbed import DIR --name {name}`"
        raise NotFound(f"the lab {lab.root} has no testbed {name!r}", hint=hint)
    fields = _read_json(lab.testbed(name) / MANIFEST, name)
    return Manifest(**{**fields, "notes": tuple(fields["notes"])})


def read_sealed_manifest(lab: LabFolder, name: str) -> SealedManifest:
    return SealedManifest(**_read_json(lab.sealed_testbed(name) / MANIFEST, name))


def check(lab: LabFolder, name: str) -> list[str]:
    """What differs from the moment of sealing: contents, extra or missing files, permissions. [] = intact."""
    manifest = read_manifest(lab, name)
    try:
        sealed = read_sealed_manifest(lab, name)
    except LabError as error:
        return [error.message]
    differs = list(_different(lab.testbed(name), {**manifest.files, MANIFEST: sealed.public_manifest}))
    differs += _different(lab.sealed_testbed(name), {**sealed.files, MANIFEST: None})
    private = lab.sealed_testbed(name)
    for folder in (lab.sealed, private.parent, private):
        differs += _too_open(folder, 0o700)
    for file in (lab.secret, *(private / name for name in (*sealed.files, MANIFEST))):
        differs += _too_open(file, 0o600)
    return differs


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def verified(path: Path, expected: str) -> bytes:
    """The bytes of a sealed or public file, if they are the ones its manifest names."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LabError(f"{path} cannot be read: {error.strerror}", code="damaged_testbed", hint=_hint(path)) from None
    if sha256(data) != expected:
        raise LabError(f"{path} is not what was sealed", code="damaged_testbed", hint=_hint(path))
    return data


def _different(folder: Path, expected: dict[str, str | None]) -> Iterator[str]:
    """`expected`: the checksum of every file, None where only its presence counts."""
    present = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    for name, digest in sorted(expected.items()):
        if name not in present:
            yield f"{folder / name}: missing"
        elif digest and sha256((folder / name).read_bytes()) != digest:
            yield f"{folder / name}: content differs from what was sealed"
    for name in sorted(present - expected.keys()):
        yield f"{folder / name}: not part of the testbed"


def _too_open(path: Path, mode: int) -> Iterator[str]:
    if path.exists() and (actual := path.stat().st_mode & 0o7777) != mode:
        yield f"{path}: mode {actual:04o}, must be {mode:04o}"


def _read_json(path: Path, name: str) -> dict[str, Any]:
    try:
        fields: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise LabError(f"{path}: missing or damaged ({error})", code="damaged_testbed", hint=_hint(path)) from None
    return fields


def _hint(path: Path) -> str:
    name = path.parent.name
    return (
        f"`aar testbed check {name}` says what differs; `aar testbed build {name} --force` or a new import repairs it"
    )
