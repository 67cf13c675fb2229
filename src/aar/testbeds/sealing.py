"""Write a testbed to the lab: a public folder without labels, and a sealed one that only trusted code may enter.

All or nothing: both folders are written beside their places, synced, then renamed (sealed first; the public
manifest's appearance is what makes a testbed exist). A process killed between the two renames of a *replaced*
testbed leaves a pair that `manifest.check` reports. Same examples and secret give the same bytes.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aar
from aar.errors import Conflict, LabError
from aar.settings import LabFolder
from aar.testbeds.manifest import (
    MANIFEST,
    Manifest,
    SealedManifest,
    check,
    checked_name,
    read_manifest,
    read_sealed_manifest,
    sha256,
)
from aar.testbeds.rows import SPLITS, Example, Split, gold_line, public_line
from aar.testbeds.secret import keyed_id, lab_secret, private_folder

GOLD = "gold.jsonl"
CANARY = "CANARY"
PUBLIC: dict[Split, str] = {"unlabeled": "train_unlabeled.jsonl", "test": "test.jsonl"}
SEALED: dict[Split, str] = {"labeled": "train_labeled.jsonl", "private": "private.jsonl", "ood": "test_ood.jsonl"}

Files = dict[str, bytes]


def seal(
    lab: LabFolder,
    name: str,
    examples: Sequence[Example],
    source: Mapping[str, Any],
    notes: Sequence[str] = (),
    force: bool = False,
) -> bool:
    """Write the testbed; False where the very same one is there and intact. Another one: Conflict unless `force`."""
    _assert_sound(checked_name(name), examples)
    secret = lab_secret(lab)
    public, sealed = _render(name, examples, dict(source), tuple(notes), keyed_id(secret, "canary", name))
    with _locked(private_folder(lab.sealed_testbed(name).parent)):
        if (lab.testbed(name) / MANIFEST).exists() and not force:
            if _is_sealed_as(lab, name, public, sealed):
                return False
            raise Conflict(
                f"the lab already has a testbed {name!r}, with other content",
                hint="choose another --name, or --force to replace it: problems and scores made on the old rows no longer apply",
            )
        _replace(
            [(lab.sealed_testbed(name), sealed, 0o700, 0o600), (lab.testbed(name), public, 0o755, 0o644)],
        )
    return True


def _assert_sound(name: str, examples: Sequence[Example]) -> None:
    """The builder's own promises; a breach is our defect, not the user's."""
    ids = Counter(example.id for example in examples)
    homes: dict[str, set[Split]] = {}
    for example in examples:
        homes.setdefault(example.group, set()).add(example.split)
    broken = {
        "an id appears twice": len(ids) < len(examples),
        "pairs and claims are mixed": len({example.kind for example in examples}) != 1,
        "a group straddles splits": any(len(splits) > 1 for splits in homes.values()),
        "a row that must have a label has none": any(e.label is None and e.split != "unlabeled" for e in examples),
        "a split is empty": not {"labeled", "unlabeled", "test", "private"} <= {e.split for e in examples},
    }
    if faults := [fault for fault, found in broken.items() if found]:
        raise LabError(f"testbed {name!r} was not sealed: {'; '.join(faults)}", code="unsound_testbed")


def _render(
    name: str, examples: Sequence[Example], source: dict[str, Any], notes: tuple[str, ...], canary: str
) -> tuple[Files, Files]:
    """(public files, sealed files) with their manifests. Rows are ordered by id, which tells nothing."""
    rows = sorted(examples, key=lambda example: example.id)
    of_split = {split: [row for row in rows if row.split == split] for split in SPLITS}
    public = {file: _lines(public_line(row) for row in of_split[split]) for split, file in PUBLIC.items()}
    # No reader ever passes the canary line on, so its text anywhere else means that a sealed file was read.
    marked = {"canary": f"AAR-CANARY-{canary}"}
    sealed = {file: _lines([marked, *map(public_line, of_split[split])]) for split, file in SEALED.items()}
    sealed[GOLD] = _lines([marked, *map(gold_line, rows)])
    sealed[CANARY] = f"{marked['canary']}\n".encode()
    manifest = Manifest(
        name=name,
        kind=rows[0].kind,
        counts={split: len(of_split[split]) for split in SPLITS},
        ceiling=all(row.label is not None for row in of_split["unlabeled"]),
        files={file: sha256(data) for file, data in public.items()},
        source=source,
        notes=notes,
        created_with=f"aar-lab {aar.__version__}",
    )
    public[MANIFEST] = _document(manifest.as_json())
    label_set = sha256(_lines(sorted(list(row.text) for row in of_split["test"])))[:16]
    checksums = {file: sha256(data) for file, data in sealed.items()}
    sealed[MANIFEST] = _document(SealedManifest(name, label_set, sha256(public[MANIFEST]), checksums).__dict__)
    return public, sealed


def _is_sealed_as(lab: LabFolder, name: str, public: Files, sealed: Files) -> bool:
    """Same rows, same labels, nothing damaged. Another release's name in the manifest makes no difference."""
    if check(lab, name):
        return False
    there, sealed_there = read_manifest(lab, name), read_sealed_manifest(lab, name)
    files = {**there.files, **sealed_there.files}
    return files == {file: sha256(data) for file, data in {**public, **sealed}.items() if file != MANIFEST}


def _replace(folders: Sequence[tuple[Path, Files, int, int]]) -> None:
    """Put every (path, files, folder mode, file mode) in place, or on any error leave what was there."""
    drafts = [(path, _beside(path, "new"), _beside(path, "old")) for path, *_ in folders]
    for path, new, old in drafts:
        _remove(new, old)
        path.parent.mkdir(parents=True, exist_ok=True)
    moved: list[tuple[Path, Path]] = []
    try:
        for (_, files, folder_mode, file_mode), (_, new, _) in zip(folders, drafts, strict=True):
            _write_folder(new, files, folder_mode, file_mode)
        for path, new, old in drafts:
            for origin, target in ((path, old), (new, path)):
                if origin.exists():
                    origin.rename(target)
                    moved.append((origin, target))
            _sync(path.parent)
    except BaseException:
        for origin, target in reversed(moved):
            target.rename(origin)
        _remove(*(new for _, new, _ in drafts))
        raise
    _remove(*(old for _, _, old in drafts))


def _write_folder(folder: Path, files: Files, folder_mode: int, file_mode: int) -> None:
    folder.mkdir(mode=0o700)
    for name, data in files.items():
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(descriptor, file_mode)
            os.fsync(descriptor)
    folder.chmod(folder_mode)
    _sync(folder)


def _beside(path: Path, state: str) -> Path:
    """Hidden from `list_testbeds`, on the same file system as the final place."""
    return path.with_name(f".{path.name}.{state}")


def _remove(*folders: Path) -> None:
    for folder in folders:
        if folder.exists():
            shutil.rmtree(folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One writer at a time; the kernel frees the lock of a process that dies."""
    descriptor = os.open(folder / ".lock", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _lines(lines: Iterable[Any]) -> bytes:
    """ASCII only: U+2028 and its like stay escaped, so that every reader agrees on where a line ends."""
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def _document(fields: dict[str, Any]) -> bytes:
    return (json.dumps(fields, indent=1) + "\n").encode()
