"""The neutral form every generator and importer produces, and the JSON lines it becomes.

Knows field names, not files: `sealing` decides which line goes where. Public lines carry an id and the texts;
all that could tell a label (label, split, subset, difficulty, group) is in the gold line alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from aar.types import Claim, Kind, Pair, Text

Split = Literal["labeled", "unlabeled", "test", "ood", "private"]
SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True)
class Example:
    """One row with all the owner knows. label 1 = second better / answer true; None only on unlabeled rows."""

    kind: Kind
    text: Text
    label: int | None
    split: Split
    subset: str
    difficulty: str
    group: str
    id: str


class GoldRow(NamedTuple):
    """What is sealed about one row."""

    label: int | None
    split: Split
    subset: str
    difficulty: str
    group: str


def public_line(example: Example) -> dict[str, str]:
    """{"id", "prompt", "first", "second"} or {"id", "question", "choice"}."""
    return {"id": example.id, **example.text._asdict()}


def gold_line(example: Example) -> dict[str, Any]:
    """{"id", "label", "split", "subset", "difficulty", "group"}."""
    return {"id": example.id, **{name: getattr(example, name) for name in GoldRow._fields}}


def text_of(line: Mapping[str, Any]) -> Text:
    """The texts of a public line."""
    shape = Claim if "question" in line else Pair
    return shape(*(line[name] for name in shape._fields))


def gold_of(line: Mapping[str, Any]) -> GoldRow:
    return GoldRow(*(line[name] for name in GoldRow._fields))
