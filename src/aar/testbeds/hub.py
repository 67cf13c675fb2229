"""Hugging Face datasets on disk: folders of `save_to_disk`, and folders of parquet files as the hub serves them.

Splits carry the names of the JSONL files; a parquet file `test-00001-of-00002.parquet` belongs to `test`. Rows go
through the same checks. Needs the extra `hub`; nothing is fetched from a network and no dataset code is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from aar.errors import InputError, ProviderDown
from aar.testbeds.jsonl import Record

SHARD = re.compile(r"(?P<split>.+?)(-\d+-of-\d+)?$")
CHUNK = 1000  # rows held in memory at a time


def read_dataset(source: Path) -> dict[str, Iterable[Record]]:
    """split name -> its records. Raises ProviderDown where `datasets` is not installed."""
    library = _library()
    try:
        saved = library.load_from_disk(str(source)) if (source / "dataset_dict.json").is_file() else {}
    except Exception as error:  # datasets and pyarrow raise many unrelated kinds
        raise _unreadable(source, error) from None
    found: dict[str, Iterable[Record]] = {
        str(split): _saved_records(f"{source}:{split}", rows) for split, rows in dict(saved).items()
    }
    return found or {split: parquet_records(paths) for split, paths in _shards(source).items()}


def _library() -> Any:
    try:
        import datasets
    except ImportError:
        raise _not_installed("Hugging Face datasets cannot be read: `datasets`") from None
    return datasets


def _not_installed(what: str) -> ProviderDown:
    hint = "pip install 'aar-lab[hub]', or write the rows as .jsonl files"
    return ProviderDown(f"{what} is not installed", code="not_installed", hint=hint)


def _shards(source: Path) -> dict[str, list[Path]]:
    shards: dict[str, list[Path]] = {}
    for path in sorted(source.rglob("*.parquet")):
        match = SHARD.match(path.stem)
        shards.setdefault(match["split"] if match else path.stem, []).append(path)
    return shards


def _saved_records(where: str, rows: Any) -> Iterator[Record]:
    for number, fields in enumerate(rows, start=1):
        yield Record(f"{where} row {number}", fields)


def parquet_records(paths: Iterable[Path], columns: Iterable[str] | None = None) -> Iterator[Record]:
    """The rows of these files, some columns or all; a column that is not there is left out."""
    try:
        from pyarrow import parquet
    except ImportError:
        raise _not_installed("parquet files cannot be read: `pyarrow`") from None
    for path in paths:
        number = 0
        try:
            file = parquet.ParquetFile(path)
            wanted = None if columns is None else [c for c in columns if c in file.schema_arrow.names]
            for batch in file.iter_batches(CHUNK, columns=wanted):
                for fields in batch.to_pylist():
                    number += 1
                    yield Record(f"{path} row {number}", fields)
        except (OSError, ValueError) as error:  # pyarrow's own errors derive from these
            raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> InputError:
    what = str(error).partition("\n")[0][:200]
    return InputError(
        f"{path} cannot be read: {what}", code="unreadable", hint="save the dataset again with save_to_disk"
    )
