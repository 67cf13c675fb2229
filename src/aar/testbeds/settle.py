"""Make imported rows fit the rule that no question stands in two splits, and draw the private rows.

An explicit `group` that straddles is refused: its author meant something else. A question that merely occurs
twice is moved as a whole to one split and the rows moved are counted. Knows nothing about files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from aar.errors import InputError
from aar.testbeds.records import Checked
from aar.testbeds.rows import SPLITS, Split
from aar.testbeds.secret import keyed_id
from aar.testbeds.split import connected
from aar.types import group_of

PRIVATE_SHARE = 0.4
PRECEDENCE: tuple[Split, ...] = ("test", "private", "ood", "labeled", "unlabeled")
LEAST_INTERACTIVE = 300  # test rows under which no interactive lane is opened
LEAST_UNLABELED = 2.5  # unlabeled rows per labeled one, or the weak teacher is no weaker than the student


def settle(rows: Sequence[Checked], secret: bytes) -> tuple[list[Checked], list[str]]:
    """(rows with every group in one split and `group` filled in, notes on what was moved or drawn)."""
    _refuse_straddling_groups(rows)
    rows, notes = _unite(_grouped(rows))
    if not any(row.split == "private" for row in rows):
        rows, note = _draw_private(rows, secret)
        notes.append(note)
    return rows, notes


def assess(rows: Sequence[Checked]) -> list[str]:
    """What the owner should know before building on these rows. Raises InputError where nothing can be measured."""
    for split in SPLITS:
        _refuse_one_class([row for row in rows if row.split == split], split)
    counts = Counter(row.split for row in rows)
    notes = []
    if all(row.label is None for row in rows if row.split == "unlabeled"):
        notes.append("the unlabeled rows have no labels: no ceiling can be measured, so no PGR, only accuracy")
    if counts["test"] < LEAST_INTERACTIVE:
        notes.append(f"{counts['test']} test rows: under {LEAST_INTERACTIVE} there is no interactive lane")
    if counts["unlabeled"] < LEAST_UNLABELED * counts["labeled"]:
        ratio = counts["unlabeled"] / counts["labeled"]
        notes.append(f"{ratio:.1f} unlabeled rows per labeled one: under {LEAST_UNLABELED} expect a small gap")
    return notes


def _refuse_straddling_groups(rows: Sequence[Checked]) -> None:
    first: dict[str, Checked] = {}
    for row in rows:
        if row.group is not None and (other := first.setdefault(row.group, row)).split != row.split:
            raise InputError(
                f"{row.where}: group {row.group[:60]!r} is also in another split, at {other.where}",
                code="group_straddles",
                hint="keep all rows of a group in one file; without `group` fields rows are grouped by question",
            )


def _grouped(rows: Sequence[Checked]) -> list[Checked]:
    """`group` becomes one name for all rows tied by an explicit group or by the same question."""

    def ties(row: Checked) -> list[tuple[str, str]]:
        question = ("question", " ".join(row.text.question.split()).casefold())
        return [question] if row.group is None else [question, ("group", row.group)]

    components = connected(rows, ties)
    names: dict[int, str] = {}
    for row, component in zip(rows, components, strict=True):
        names[component] = min(group_of(row.text), names.get(component, "~"))
    return [replace(row, group=names[component]) for row, component in zip(rows, components, strict=True)]


def _unite(rows: Sequence[Checked]) -> tuple[list[Checked], list[str]]:
    """Every group goes to the first of its splits in PRECEDENCE; a row that has no label cannot follow."""
    homes: dict[str, Split] = {}
    for row in rows:
        assert row.group is not None
        homes[row.group] = min(row.split, homes.get(row.group, row.split), key=PRECEDENCE.index)
    kept, moves, dropped = [], Counter[str](), 0
    for row in rows:
        home = homes[str(row.group)]
        if row.label is None and home != "unlabeled":
            dropped += 1
            continue
        moves[f"{row.split} to {home}"] += home != row.split
        kept.append(replace(row, split=home))
    notes = [f"{n} rows moved from {move}: their question stands in both" for move, n in moves.items() if n]
    if dropped:
        notes.append(f"{dropped} unlabeled rows left out: their question stands in a labeled file, they have no label")
    for split in {row.split for row in rows} - {row.split for row in kept}:
        hint = "give each split questions of its own"
        raise InputError(f"{split}: every question of it also stands in another file", code="empty_split", hint=hint)
    return kept, notes


def _draw_private(rows: Sequence[Checked], secret: bytes) -> tuple[list[Checked], str]:
    """Whole groups of test rows, nearest to PRIVATE_SHARE of them, become private.

    Keyed by group and not by the testbed's name: a second import of the same rows reveals no private row.
    """
    sizes = Counter(str(row.group) for row in rows if row.split == "test")
    if len(sizes) < 2:
        hint = "add test rows, or give a private.jsonl"
        raise InputError("test: all rows are of one question, so none can become private", hint=hint)
    order = sorted(sizes, key=lambda group: keyed_id(secret, "private", group))
    goal = PRIVATE_SHARE * sizes.total()
    totals = list(accumulate(sizes[group] for group in order[:-1]))
    cut = min(range(len(totals)), key=lambda i: abs(totals[i] - goal))
    private = set(order[: cut + 1])
    drawn = [replace(row, split="private") if row.split == "test" and row.group in private else row for row in rows]
    share = f"{totals[cut]} of {sizes.total()} test rows ({totals[cut] / sizes.total():.0%})"
    return drawn, f"no private file: {share} became private, by question"


def _refuse_one_class(rows: Sequence[Checked], split: Split) -> None:
    labels = {row.label for row in rows} - {None}
    if len(labels) == 1:
        side = "exchange first and second in half of the rows" if rows[0].kind == "pair" else "add rows of the other"
        raise InputError(
            f"{split}: all {len(rows)} rows ({rows[0].where} and on) have the label {labels.pop()}",
            code="one_class",
            hint=f"accuracy means nothing with one class: {side}",
        )
