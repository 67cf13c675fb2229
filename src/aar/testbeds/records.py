"""From fields to checked rows: which fields a row must hold, and which spellings of a label are understood.

Works the same for JSON lines and Hugging Face rows. Knows nothing about files, groups across splits or sealing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aar.errors import InputError
from aar.testbeds.jsonl import Record
from aar.testbeds.rows import Split
from aar.types import Claim, Kind, Pair, Text

KINDS: dict[Kind, type[Pair] | type[Claim]] = {"pair": Pair, "binary": Claim}
LABELS: dict[Kind, dict[object, int]] = {
    "pair": {0: 0, 1: 1, "0": 0, "1": 1, "a": 0, "b": 1, "first": 0, "second": 1},
    "binary": {0: 0, 1: 1, "0": 0, "1": 1, "false": 0, "true": 1},
}
SPELLINGS: dict[Kind, str] = {
    "pair": '0 or "A" or "first" (the first is better), 1 or "B" or "second"',
    "binary": "true or 1 (the answer is right), false or 0",
}
SHAPES = '{"prompt", "first", "second", "label"} or {"question", "choice", "label"}'


@dataclass(frozen=True)
class Checked:
    """One row that passed. group: the explicit group where one was given; label None: not given."""

    where: str
    split: Split
    kind: Kind
    text: Text
    label: int | None
    subset: str
    difficulty: str
    group: str | None


def check_records(files: Mapping[Split, Iterable[Record]]) -> list[Checked]:
    """All rows of all splits, of one kind, ids unique within a file, labels wherever they must be."""
    rows: list[Checked] = []
    for split, records in files.items():
        found = _check_split(split, records, rows[0].kind if rows else None)
        if not found:
            raise InputError(f"{split}: the file holds no rows", code="empty_file", hint=f"write rows {SHAPES}")
        rows += found
    return rows


def _check_split(split: Split, records: Iterable[Record], kind: Kind | None) -> list[Checked]:
    rows: list[Checked] = []
    lines: dict[str, str] = {}
    for record in records:
        row = _check(split, record)
        kind = kind or row.kind
        if row.kind != kind:
            hint = "a testbed holds pairs or claims, not both: import them as two testbeds"
            raise InputError(f"{row.where}: a {row.kind} row among {kind} rows", code="mixed_kinds", hint=hint)
        id_ = _short(record, "id") or row.where
        if (other := lines.setdefault(id_, row.where)) != row.where:
            hint = "give every row its own id, or leave ids out"
            raise InputError(f"{row.where}: the id {id_[:60]!r} is {other}'s", code="duplicate_id", hint=hint)
        if rows and (row.label is None) != (rows[0].label is None):
            without = row.where if row.label is None else rows[0].where
            raise InputError(
                f"{without}: no label, but other rows of the file have one",
                code="missing_label",
                hint="label all rows or, in train_unlabeled alone, none",
            )
        rows.append(row)
    return rows


def _check(split: Split, record: Record) -> Checked:
    # A column of a Hugging Face dataset holds null where a row lacks the field.
    record = Record(record.where, {name: value for name, value in record.fields.items() if value is not None})
    kind = _kind(record)
    text = KINDS[kind](*(_text(record, name) for name in KINDS[kind]._fields))
    if not text.question.strip():
        raise InputError(f"{record.where}: {text._fields[0]!r} is blank", hint="every row needs its question")
    label = _label(record, kind)
    if label is None and split != "unlabeled":
        raise InputError(f"{record.where}: no 'label'", code="missing_field", hint=f"write {SPELLINGS[kind]}")
    subset, difficulty = _short(record, "subset") or "", _short(record, "difficulty") or ""
    _short(record, "consistency_id")
    return Checked(record.where, split, kind, text, label, subset, difficulty, _short(record, "group"))


def _kind(record: Record) -> Kind:
    """The kind whose text fields are all there."""
    missing: dict[Kind, list[str]] = {
        kind: [name for name in shape._fields if name not in record.fields] for kind, shape in KINDS.items()
    }
    complete = [kind for kind, names in missing.items() if not names]
    if len(complete) == 1:
        return complete[0]
    if complete:
        what = "fields of a pair and of a claim in one row"
    else:
        nearest = min(missing.values(), key=len)
        what = "no " + ", ".join(map(repr, nearest))
    raise InputError(f"{record.where}: {what}", code="missing_field", hint=f"a row is {SHAPES}")


def _text(record: Record, name: str) -> str:
    value = record.fields[name]
    if not isinstance(value, str):
        hint = "texts must be strings; join lists of messages into one text first"
        raise InputError(f"{record.where}: {name!r} is a {type(value).__name__}", code="wrong_type", hint=hint)
    return _encodable(record.where, name, value)


def _short(record: Record, name: str) -> str | None:
    """An optional id, group, subset or difficulty: a string or a finite number."""
    value = record.fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)):
        what = "is not finite" if isinstance(value, float) else f"is a {type(value).__name__}"
        raise InputError(f"{record.where}: {name!r} {what}", code="wrong_type", hint="write a string or a number")
    return _encodable(record.where, name, str(value))


def _encodable(where: str, name: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        hint = "the escape of half a character, such as \\ud800 alone; remove it"
        raise InputError(f"{where}: {name!r} is not valid Unicode", code="not_utf8", hint=hint) from None
    return value


def _label(record: Record, kind: Kind) -> int | None:
    value: Any = record.fields.get("label")
    if value is None:
        return None
    key = value.strip().lower() if isinstance(value, str) else value
    # True == 1 in Python, but a pair's `true` does not say which side is better.
    if not isinstance(key, str | int | float) or (kind == "pair" and isinstance(key, bool)) or key not in LABELS[kind]:
        raise InputError(
            f"{record.where}: unknown label {repr(value)[:60]}", code="unknown_label", hint=f"write {SPELLINGS[kind]}"
        )
    return LABELS[kind][key]
