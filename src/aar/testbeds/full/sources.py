"""Public datasets as files: a local copy, or the hub's at a pinned commit. Files are read as data; no dataset code is run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aar.errors import InputError, NotFound, ProviderDown
from aar.testbeds.hub import parquet_records
from aar.testbeds.jsonl import Record, read_array, read_jsonl


@dataclass(frozen=True)
class Source:
    """`name`: the folder of a local copy. `files`: patterns below it, as the hub lays them out. `revision`: a commit."""

    name: str
    repo: str
    revision: str
    files: tuple[str, ...]
    columns: tuple[str, ...] | None = None

    def at(self, root: Path | None) -> Path:
        """The folder of its files: below `root`, or downloaded (once; later runs find the hub's cache)."""
        return self._download() if root is None else root / self.name

    def records(self, folder: Path) -> Iterator[Record]:
        """Every row of every file, in the order of the files' names."""
        paths = sorted({path for pattern in self.files for path in folder.glob(pattern) if path.is_file()})
        if not paths:
            raise NotFound(
                f"{folder} holds none of {', '.join(self.files)}",
                hint=f"copy these files of the hub's dataset {self.repo} there, or leave --from out to download them",
            )
        for path in paths:
            if path.suffix == ".parquet":
                yield from parquet_records([path], self.columns)
            else:
                yield from read_array(path) if path.suffix == ".json" else read_jsonl(path)

    def _download(self) -> Path:
        import huggingface_hub

        try:
            found = huggingface_hub.snapshot_download(
                self.repo, repo_type="dataset", revision=self.revision, allow_patterns=list(self.files)
            )
        except Exception as error:  # the hub client's errors have no common base
            hint = f"check the network, or copy its files into FOLDER/{self.name} and give --from FOLDER"
            raise ProviderDown(f"cannot get the dataset {self.repo} from the hub: {error}", hint=hint) from error
        return Path(found)


def file_name(record: Record) -> str:
    """Of the file it stands in, with the line behind."""
    return record.where.rpartition("/")[2]


def text(record: Record, name: str) -> str:
    """A field that must be a string."""
    return _typed(record, name, str)


def number(record: Record, name: str) -> int:
    return _typed(record, name, int)


def blank(record: Record, *names: str) -> bool:
    """Whether one of these fields, which must be there, is null or empty: the public files have some such rows."""
    for name in names:
        if name not in record.fields:
            _typed(record, name, str)
    return any(not record.fields[name] or not str(record.fields[name]).strip() for name in names)


def texts(record: Record, name: str) -> list[str]:
    """A list of strings, at least one."""
    values = _typed(record, name, list)
    if not values or not all(isinstance(value, str) for value in values):
        raise InputError(f"{record.where}: {name!r} must be a list of texts", code="wrong_type", hint=_LAYOUT)
    return values


def transcript(record: Record, name: str) -> str:
    """A list of {role, content}: the content alone where one user speaks, else "Role: content" by turns."""
    turns = _typed(record, name, list)
    try:
        said = [(str(turn["role"]), str(turn["content"])) for turn in turns]
    except (TypeError, KeyError):
        what = f"{record.where}: {name!r} must be a list of messages with role and content"
        raise InputError(what, code="wrong_type", hint=_LAYOUT) from None
    return conversation(said)


def conversation(turns: Sequence[tuple[str, str]]) -> str:
    if len(turns) == 1:
        return turns[0][1]
    return "\n\n".join(f"{role.capitalize()}: {content}" for role, content in turns)


_LAYOUT = "the files must have the columns of the original dataset"


def _typed(record: Record, name: str, kind: type) -> Any:
    value = record.fields.get(name)
    if value is None:
        there = ", ".join(sorted(record.fields)[:8])
        raise InputError(f"{record.where}: no {name!r} (found: {there})", code="missing_field", hint=_LAYOUT)
    if not isinstance(value, kind) or isinstance(value, bool):
        what = f"{record.where}: {name!r} is a {type(value).__name__}, not a {kind.__name__}"
        raise InputError(what, code="wrong_type", hint=_LAYOUT)
    return value
