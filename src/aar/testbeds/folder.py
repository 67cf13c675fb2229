"""Import a folder of rows into a lab: find its files, check every row, settle groups, seal.

    train_labeled | train_label, train_unlabeled | train_unlabel, test, optional test_ood and private

as .jsonl files, .parquet files, or a Hugging Face dataset saved to disk (`hub`). The labels of unlabeled rows
are sealed: they give the ceiling. Either the whole testbed appears in the lab or nothing does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aar.errors import InputError, NotFound
from aar.settings import LabFolder
from aar.testbeds.jsonl import Record, read_jsonl
from aar.testbeds.manifest import checked_name
from aar.testbeds.pairing import as_pairs as make_pairs
from aar.testbeds.records import Checked, check_records
from aar.testbeds.rows import Example, Split
from aar.testbeds.sealing import seal
from aar.testbeds.secret import keyed_id, lab_secret
from aar.testbeds.settle import assess, settle

STEMS: dict[Split, tuple[str, ...]] = {
    "labeled": ("train_labeled", "train_label"),
    "unlabeled": ("train_unlabeled", "train_unlabel"),
    "test": ("test",),
    "ood": ("test_ood",),
    "private": ("private",),
}
OPTIONAL = ("ood", "private")


@dataclass(frozen=True)
class Imported:
    """changed: False where the very same testbed was there already. notes: what was moved, drawn or is missing."""

    name: str
    changed: bool
    notes: tuple[str, ...]


def import_folder(
    lab: LabFolder, source: Path, name: str | None = None, as_pairs: bool = False, force: bool = False
) -> Imported:
    """Read `source`, check it and seal it as testbed `name` (else the folder's own name)."""
    name = checked_name(source.resolve().name.lower() if name is None else name)
    origin = {"by": "import", "folder": source.resolve().name, "as_pairs": as_pairs}
    return import_records(lab, name, _open(source), origin, as_pairs=as_pairs, force=force)


def import_records(
    lab: LabFolder,
    name: str,
    files: Mapping[Split, Iterable[Record]],
    origin: Mapping[str, Any],
    notes: Sequence[str] = (),
    as_pairs: bool = False,
    force: bool = False,
) -> Imported:
    """The same for records that are found already. `origin`: what the manifest says of where they come from."""
    secret = lab_secret(lab)
    rows, moved = settle(check_records(files), secret)
    said = [*notes, *moved]
    if as_pairs:
        rows, more = make_pairs(rows, secret)
        said += more
    said += assess(rows)
    changed = seal(lab, name, _examples(rows, secret, name), origin, said, force)
    return Imported(name, changed, tuple(said))


def _examples(rows: Sequence[Checked], secret: bytes, name: str) -> list[Example]:
    return [
        Example(
            row.kind,
            row.text,
            row.label,
            row.split,
            row.subset,
            row.difficulty,
            str(row.group),
            keyed_id(secret, "row", name, number),
        )
        for number, row in enumerate(rows)
    ]


def _open(source: Path) -> dict[Split, Iterable[Record]]:
    """Nothing is read here, only found."""
    if not source.is_dir():
        raise NotFound(
            f"{source} is not a folder", hint="give the folder that holds train_labeled.jsonl and the others"
        )
    jsonl = {path.stem: path for path in sorted(source.glob("*.jsonl")) if path.is_file()}
    if not jsonl and is_hub_folder(source):
        from aar.testbeds.hub import read_dataset  # datasets takes a second to import

        return by_split(read_dataset(source), source)
    return by_split({stem: read_jsonl(path) for stem, path in jsonl.items()}, source)


def is_hub_folder(source: Path) -> bool:
    """A dataset saved by `save_to_disk`, or parquet files."""
    return (source / "dataset_dict.json").is_file() or any(source.rglob("*.parquet"))


def by_split(found: Mapping[str, Iterable[Record]], source: Path) -> dict[Split, Iterable[Record]]:
    """The records of each split, chosen by file or split name."""
    files: dict[Split, Iterable[Record]] = {}
    for split, stems in STEMS.items():
        present = [stem for stem in stems if stem in found]
        if len(present) > 1:
            hint = "keep one of the two"
            raise InputError(f"{source}: both {present[0]} and {present[1]} are there", code="ambiguous", hint=hint)
        if present:
            files[split] = found[present[0]]
        elif split not in OPTIONAL:
            there = ", ".join(sorted(found)) or "none"
            hint = "needed: train_labeled, train_unlabeled and test, as .jsonl or .parquet"
            raise InputError(f"{source}: no {stems[0]} (found: {there})", code="missing_file", hint=hint)
    return files
