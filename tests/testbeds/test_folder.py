"""Importing folders: what the contract allows just works, everything else leaves the lab as it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from aar.errors import Conflict, InputError, NotFound
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.testbeds.folder import import_folder
from aar.testbeds.manifest import check, list_testbeds, read_manifest

REALDATA = Path(__file__).parents[2].parent / "shared" / "realdata"
Folder = dict[str, list[dict]]
Write = Callable[..., Path]


def test_binary_folder(lab: LabFolder, write: Write, claim_folder: Folder) -> None:
    """Rows, labels and groups of every split arrive; the folder's name is the testbed's."""
    imported = import_folder(lab, write(claim_folder, "Rows"))
    assert (imported.name, imported.changed) == ("rows", True)
    manifest = read_manifest(lab, "rows")
    assert (manifest.kind, manifest.ceiling) == ("binary", True)
    assert manifest.counts == {"labeled": 16, "unlabeled": 40, "test": 24, "ood": 0, "private": 16}
    sealed = Sealed(lab)
    truth = {(r["question"], r["choice"]): int(r["label"]) for rows in claim_folder.values() for r in rows}
    for split in ("labeled", "unlabeled", "test", "private"):
        rows = sealed.rows("rows", split)
        assert sealed.labels("rows", rows.ids).tolist() == [truth[tuple(text)] for text in rows.texts]
    assert check(lab, "rows") == []


def test_pair_folder_with_short_names_and_all_files(lab: LabFolder, write: Write, pair_folder: Folder) -> None:
    """train_label, train_unlabel, test_ood and private are understood; given private rows are kept."""
    rows = dict(zip(("train_label", "train_unlabel", "test"), pair_folder.values(), strict=True))
    more = [{**row, "prompt": f"x{row['prompt']}"} for row in pair_folder["test"]]
    rows |= {"test_ood": more[:6], "private": more[6:]}
    import_folder(lab, write(rows), "bed")
    assert read_manifest(lab, "bed").counts == {"labeled": 8, "unlabeled": 20, "test": 20, "ood": 6, "private": 14}


def test_public_copies_carry_nothing_that_tells(lab: LabFolder, write: Write, claim_folder: Folder) -> None:
    """label, subset, difficulty, group and consistency_id stay sealed; source ids are replaced."""
    for stem, rows in claim_folder.items():
        for i, row in enumerate(rows):
            extra = {"id": f"SECRET-{stem}-{i}", "subset": "SECRET", "difficulty": "SECRET", "consistency_id": "SECRET"}
            row |= {**extra, "group": f"SECRET {row['question']}", "source": "SECRET"}
    import_folder(lab, write(claim_folder), "bed")
    for path in lab.testbed("bed").iterdir():
        assert b"SECRET" not in path.read_bytes()
    lines = (lab.testbed("bed") / "test.jsonl").read_text().splitlines()
    assert {tuple(json.loads(line)) for line in lines} == {("id", "question", "choice")}
    assert {row.subset for row in Sealed(lab).gold("bed").values()} == {"SECRET"}


def test_missing_unlabeled_labels_mean_no_ceiling(lab: LabFolder, write: Write, claim_folder: Folder) -> None:
    """The import works and says what cannot be measured."""
    for row in claim_folder["train_unlabeled"]:
        del row["label"]
    imported = import_folder(lab, write(claim_folder), "bed")
    assert any("no ceiling" in note for note in imported.notes)
    assert not read_manifest(lab, "bed").ceiling


def test_import_again_is_harmless_and_other_rows_conflict(lab: LabFolder, write: Write, claim_folder: Folder) -> None:
    """The same folder twice does nothing; a changed one needs --force."""
    import_folder(lab, write(claim_folder), "bed")
    assert not import_folder(lab, write(claim_folder), "bed").changed
    claim_folder["test"][0]["choice"] = "other"
    with pytest.raises(Conflict):
        import_folder(lab, write(claim_folder), "bed")
    assert import_folder(lab, write(claim_folder), "bed", force=True).changed


def test_second_name_keeps_private_rows_private(lab: LabFolder, write: Write, claim_folder: Folder) -> None:
    """Importing the same rows under another name must not show private rows as test rows."""
    folder = write(claim_folder)
    import_folder(lab, folder, "one")
    import_folder(lab, folder, "two")
    sealed = Sealed(lab)
    assert set(sealed.rows("one", "private").texts) == set(sealed.rows("two", "private").texts)
    assert not set(sealed.rows("one", "test").ids) & set(sealed.rows("two", "test").ids)
    assert sealed.label_set("one") == sealed.label_set("two")


def test_as_pairs_is_balanced_in_every_split(lab: LabFolder, write: Write, claim_folder: Folder) -> None:
    """Two pairs a question, half of each split labelled 1, questions never shared."""
    imported = import_folder(lab, write(claim_folder), "bed", as_pairs=True)
    assert read_manifest(lab, "bed").counts == {"labeled": 8, "unlabeled": 20, "test": 12, "ood": 0, "private": 8}
    sealed = Sealed(lab)
    for split in ("labeled", "unlabeled", "test", "private"):
        assert sealed.labels("bed", sealed.rows("bed", split).ids).mean() == 0.5
    assert "40 pairs made" not in imported.notes[0]
    assert any(note.startswith("48 pairs made; 0 of 96") for note in imported.notes)


BROKEN: dict[str, Callable[[Path], object]] = {
    "missing file": lambda f: (f / "test.jsonl").unlink(),
    "both spellings": lambda f: (f / "train_label.jsonl").write_bytes((f / "train_labeled.jsonl").read_bytes()),
    "empty file": lambda f: (f / "test.jsonl").write_text(""),
    "not json": lambda f: (f / "test.jsonl").write_text("question,choice\n"),
    "broken utf-8": lambda f: (f / "test.jsonl").write_bytes(b'{"question": "\xff"}\n'),
    "one class": lambda f: (f / "test.jsonl").write_text((f / "test.jsonl").read_text().replace("true", "false")),
    "unknown label": lambda f: (f / "test.jsonl").write_text((f / "test.jsonl").read_text().replace("true", '"x"')),
    "mixed kinds": lambda f: (f / "test.jsonl").write_text('{"prompt":"p","first":"f","second":"s","label":0}\n'),
    "huge line": lambda f: (f / "private.jsonl").open("wb").truncate(1 << 30),
    "binary junk": lambda f: (f / "train_unlabeled.jsonl").write_bytes(bytes(range(256)) * 100),
}


@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN.keys())
def test_bad_folder_gives_one_error_and_leaves_nothing(
    lab: LabFolder, write: Write, claim_folder: Folder, damage: Callable[[Path], object]
) -> None:
    """An InputError with a hint; no testbed, no draft, nothing but the lab's key."""
    folder = write(claim_folder)
    damage(folder)
    with pytest.raises(InputError) as caught:
        import_folder(lab, folder, "bed")
    assert caught.value.hint
    assert list_testbeds(lab) == []
    assert {path for path in lab.root.rglob("*") if path.is_file()} <= {lab.secret}


def test_missing_folder_and_bad_name(lab: LabFolder, tmp_path: Path, write: Write, claim_folder: Folder) -> None:
    """A wrong path is not found; a folder whose name cannot be a testbed's needs --name."""
    with pytest.raises(NotFound):
        import_folder(lab, tmp_path / "nowhere")
    with pytest.raises(InputError, match="cannot name a testbed"):
        import_folder(lab, write(claim_folder, "my rows"))


def test_pipe_named_like_a_file_is_not_opened(lab: LabFolder, write: Write, claim_folder: Folder) -> None:
    """A FIFO would hang the import; it counts as missing."""
    import os

    folder = write(claim_folder)
    (folder / "test.jsonl").unlink()
    os.mkfifo(folder / "test.jsonl")
    with pytest.raises(InputError, match="no test"):
        import_folder(lab, folder)


real = pytest.mark.skipif(not REALDATA.is_dir(), reason="the real data is not beside the repository")


@real
@pytest.mark.parametrize("folder", ["math", "chat", "code-review"])
def test_real_folders_import_whole(lab: LabFolder, folder: str) -> None:
    """Every row arrives, 40 % of the test rows are private, no question is in two splits."""
    import_folder(lab, REALDATA / folder)
    counts = read_manifest(lab, folder).counts
    lines = {path.stem: len(path.read_text().splitlines()) for path in (REALDATA / folder).glob("t*.jsonl")}
    assert (counts["labeled"], counts["unlabeled"]) == (lines["train_labeled"], lines["train_unlabeled"])
    assert counts["test"] + counts["private"] == lines["test"]
    assert abs(counts["private"] / lines["test"] - 0.4) < 0.02
    assert splits_of_groups(lab, folder) == {1}
    assert check(lab, folder) == []


@real
def test_real_claims_become_balanced_pairs(lab: LabFolder) -> None:
    """GSM8K solutions of one question, right against wrong, in every split."""
    import_folder(lab, REALDATA / "math", "pairs", as_pairs=True)
    sealed = Sealed(lab)
    for split in ("labeled", "unlabeled", "test", "private"):
        labels = sealed.labels("pairs", sealed.rows("pairs", split).ids)
        assert len(labels) > 50
        assert abs(labels.sum() - len(labels) / 2) < 1
    assert splits_of_groups(lab, "pairs") == {1}


def splits_of_groups(lab: LabFolder, name: str) -> set[int]:
    """In how many splits a group is found."""
    homes: dict[str, set[str]] = {}
    for row in Sealed(lab).gold(name).values():
        homes.setdefault(row.group, set()).add(row.split)
    return {len(splits) for splits in homes.values()}
