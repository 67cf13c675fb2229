"""Hugging Face datasets on disk go through the same checks as JSON lines."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aar.errors import InputError, ProviderDown
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.testbeds.folder import import_folder
from aar.testbeds.manifest import list_testbeds

datasets = pytest.importorskip("datasets")
Folder = dict[str, list[dict]]


def saved(folder: Folder, path: Path) -> Path:
    rows = {stem: datasets.Dataset.from_list(rows) for stem, rows in folder.items()}
    datasets.DatasetDict(rows).save_to_disk(str(path))
    return path


def parquet(folder: Folder, path: Path) -> Path:
    """Two shards a split under data/, as the hub lays them out."""
    (path / "data").mkdir(parents=True)
    for stem, rows in folder.items():
        for shard in (0, 1):
            part = datasets.Dataset.from_list(rows[shard::2])
            part.to_parquet(str(path / "data" / f"{stem}-0000{shard}-of-00002.parquet"))
    return path


@pytest.mark.parametrize("save", [saved, parquet])
def test_same_rows_as_from_json_lines(
    lab: LabFolder, tmp_path: Path, write: Callable[..., Path], claim_folder: Folder, save: Callable[..., Path]
) -> None:
    """Texts, labels and private rows are those of the JSONL import of the same rows."""
    import_folder(lab, write(claim_folder), "lines")
    import_folder(lab, save(claim_folder, tmp_path / "hub"), "hub")
    sealed = Sealed(lab)
    for split in ("labeled", "unlabeled", "test", "private"):
        found = []
        for name in ("lines", "hub"):
            rows = sealed.rows(name, split)
            found.append(set(zip(rows.texts, sealed.labels(name, rows.ids).tolist(), strict=True)))
        assert found[0] == found[1]


def test_null_columns_count_as_missing(lab: LabFolder, tmp_path: Path, claim_folder: Folder) -> None:
    """A column that other splits fill is null here: unlabeled rows may lack labels, test rows may not."""
    for row in claim_folder["train_unlabeled"]:
        row["label"] = None
    notes = import_folder(lab, parquet(claim_folder, tmp_path / "a"), "a").notes
    assert any("no ceiling" in note for note in notes)
    claim_folder["test"][4]["label"] = None
    with pytest.raises(InputError, match=r"test-00000-of-00002\.parquet row 3: no 'label'"):
        import_folder(lab, parquet(claim_folder, tmp_path / "b"), "b")
    assert list_testbeds(lab) == ["a"]


def test_without_datasets_the_hint_says_what_to_install(
    lab: LabFolder, tmp_path: Path, claim_folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`datasets` is an extra: its absence is named, with the command that installs it."""
    folder = saved(claim_folder, tmp_path / "hub")
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ProviderDown) as caught:
        import_folder(lab, folder)
    assert "aar-lab[hub]" in caught.value.hint


@pytest.mark.parametrize("file", ["test-0.parquet", "dataset_dict.json"])
def test_damaged_dataset_is_an_input_error(lab: LabFolder, tmp_path: Path, file: str) -> None:
    """What pyarrow or datasets raise reaches the user as one message about the folder."""
    for stem in ("train_labeled", "train_unlabeled"):
        (tmp_path / f"{stem}.parquet").write_bytes(b"PAR1 junk")
    (tmp_path / "test.parquet").write_bytes(b"junk")
    (tmp_path / file).write_bytes(b"junk")
    with pytest.raises(InputError, match="cannot be read"):
        import_folder(lab, tmp_path, "bed")
