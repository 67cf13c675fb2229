"""The one reader of gold labels: joins by id, verifies before it reads, passes no canary on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aar.errors import InputError, LabError
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.testbeds.rows import SPLITS, Example
from aar.testbeds.sealing import seal
from aar.types import Claim


def examples(ceiling: bool = True) -> list[Example]:
    return [
        Example(
            "binary",
            Claim(f"{split} {i}\u2028?", "yes\x85\n"),
            i % 2 if ceiling or split != "unlabeled" else None,
            split,
            f"sub{i % 2}",
            "hard",
            f"{split} {i // 2}",
            f"{7 * i % 10}{split}",
        )
        for split in SPLITS
        for i in range(6)
    ]


@pytest.fixture
def sealed(tmp_path: Path) -> Sealed:
    lab = LabFolder(tmp_path / "lab")
    seal(lab, "bed", examples(), {"by": "test"})
    return Sealed(lab)


def test_gold_of_every_row_comes_back(sealed: Sealed) -> None:
    """What was sealed is what is read, joined by id; a choice of splits gives those only."""
    gold = sealed.gold("bed")
    assert {(id_, *row) for id_, row in gold.items()} == {
        (e.id, e.label, e.split, e.subset, e.difficulty, e.group) for e in examples()
    }
    assert {row.split for row in sealed.gold("bed", ["test", "ood"]).values()} == {"test", "ood"}


@pytest.mark.parametrize("split", SPLITS)
def test_rows_of_every_split_come_back(sealed: Sealed, split: str) -> None:
    """Texts survive the trip, line separators inside them included; rows carry no truth."""
    rows = sealed.rows("bed", split)
    assert dict(zip(rows.ids, rows.texts, strict=True)) == {e.id: e.text for e in examples() if e.split == split}
    assert rows.kind == "binary"
    assert rows.truth is None
    assert list(rows.ids) == sorted(rows.ids)


def test_labels_follow_the_ids_asked_for(sealed: Sealed) -> None:
    """The order is the caller's, never the file's."""
    wanted = {e.id: e.label for e in examples()}
    ids = list(wanted)[::-3]
    labels = sealed.labels("bed", ids)
    assert labels.dtype == np.int64
    assert labels.tolist() == [wanted[id_] for id_ in ids]
    with pytest.raises(InputError, match="no row 'nobody'"):
        sealed.labels("bed", ["nobody"])


def test_no_ceiling_without_labels(tmp_path: Path) -> None:
    """Unlabeled rows without gold labels raise with the reason, never a made-up number."""
    lab = LabFolder(tmp_path / "lab")
    seal(lab, "bed", examples(ceiling=False), {"by": "test"})
    sealed = Sealed(lab)
    with pytest.raises(InputError) as caught:
        sealed.labels("bed", sealed.rows("bed", "unlabeled").ids)
    assert caught.value.code == "no_ceiling"
    assert sealed.labels("bed", sealed.rows("bed", "test").ids).sum() == 3


@pytest.mark.parametrize("file", ["gold.jsonl", "private.jsonl", "manifest.json"])
def test_changed_sealed_file_is_never_read(sealed: Sealed, file: str) -> None:
    """One flipped byte and the reader refuses: a lab fault, not a score."""
    path = sealed.lab.sealed_testbed("bed") / file
    path.write_bytes(path.read_bytes().replace(b'"', b" ", 1))
    with pytest.raises(LabError):
        sealed.gold("bed") if file == "gold.jsonl" else sealed.rows("bed", "private")


def test_changed_public_rows_are_never_scored(sealed: Sealed) -> None:
    """A public file or manifest edited after sealing is refused as well."""
    path = sealed.lab.testbed("bed") / "test.jsonl"
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(LabError, match="not what was sealed"):
        sealed.rows("bed", "test")
    manifest = sealed.lab.testbed("bed") / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    with pytest.raises(LabError, match="not what was sealed"):
        sealed.gold("bed")


def test_canary_is_not_passed_on_with_rows(sealed: Sealed) -> None:
    """No legitimate reader prints it, so its text elsewhere is evidence."""
    canary = sealed.canary("bed")
    shown = repr([sealed.rows("bed", split) for split in SPLITS]) + repr(sealed.gold("bed"))
    assert canary not in shown
