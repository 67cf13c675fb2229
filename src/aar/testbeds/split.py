"""Who goes where: splits that never share a question, and sides that tell nothing.

Works on any rows that have a `group` (the question); generated items also have a `cell` (template, entity set).
Cells never straddle {labeled, unlabeled} | {test, private}; groups never straddle any two splits. All orders are
keyed by the lab secret. Knows nothing about files or ids.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TypeVar

import numpy as np

from aar.errors import InputError
from aar.testbeds.generators.item import Item
from aar.testbeds.rows import Split

T = TypeVar("T")


@dataclass(frozen=True)
class Sizes:
    """Rows in each split. The interactive lane needs >= 300 test rows, students >= 2.5 unlabeled per labeled."""

    labeled: int = 200
    unlabeled: int = 550
    test: int = 400
    private: int = 270
    ood: int = 150

    def __post_init__(self) -> None:
        for field in fields(self):
            least = 0 if field.name == "ood" else 2
            if getattr(self, field.name) < least:
                raise InputError(f"{field.name} needs at least {least} rows", hint="give a larger size")

    @property
    def in_distribution(self) -> int:
        return self.labeled + self.unlabeled + self.test + self.private

    def __getitem__(self, split: Split) -> int:
        return self.as_dict()[split]

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


class TooFewItems(Exception):
    """The items cannot fill the splits: draw more. Carries what is short, for the message."""


def split_items(items: Sequence[Item], sizes: Sizes, rng: np.random.Generator) -> dict[Split, list[Item]]:
    """Exactly `sizes` items for each split, or TooFewItems."""
    familiar = [item for item in items if not item.ood]
    train, test = _split_cells(familiar, sizes.labeled + sizes.unlabeled, sizes.test + sizes.private, rng)
    taken: dict[Split, list[Item]] = {}
    taken["labeled"], train = take_groups(train, sizes.labeled, lambda i: i.group, rng)
    taken["unlabeled"], _ = take_groups(train, sizes.unlabeled, lambda i: i.group, rng)
    taken["test"], test = take_groups(test, sizes.test, lambda i: i.group, rng)
    taken["private"], _ = take_groups(test, sizes.private, lambda i: i.group, rng)
    seen = {item.group for item in familiar}
    unseen = [item for item in items if item.ood and item.group not in seen]
    taken["ood"], _ = take_groups(unseen, sizes.ood, lambda i: i.group, rng)
    if short := [f"{split} {len(rows)} of {n}" for split, rows in taken.items() if len(rows) < (n := sizes[split])]:
        raise TooFewItems(", ".join(short))
    return taken


def _split_cells(
    items: Sequence[Item], n_train: int, n_test: int, rng: np.random.Generator
) -> tuple[list[Item], list[Item]]:
    """Whole cells to either side in proportion n_train : n_test, spread over the subsets.

    Cells that share a group count as one, since the group must not straddle either.
    """
    cells = _by(items, connected(items, lambda i: [("cell", i.cell), ("group", i.group)]))
    strata = defaultdict(list)
    for cell in shuffled(cells, rng):
        strata[Counter(item.subset for item in cell).most_common(1)[0][0]].append(cell)
    train: list[Item] = []
    test: list[Item] = []
    for subset in shuffled(sorted(strata), rng):
        for cell in strata[subset]:
            behind = len(test) * n_train <= len(train) * n_test
            (test if behind else train).extend(cell)
    return train, test


def take_groups(
    rows: Sequence[T], n: int, group: Callable[[T], str], rng: np.random.Generator
) -> tuple[list[T], list[T]]:
    """(n rows made of whole groups in random order, the rows of all other groups).

    The last group is cut where it would exceed n; its surplus rows are in neither list.
    """
    taken: list[T] = []
    rest: list[T] = []
    for members in shuffled(_by(rows, [group(row) for row in rows]), rng):
        (taken if len(taken) < n else rest).extend(members)
    return taken[:n], rest


def without_repeats(items: Iterable[Item]) -> list[Item]:
    """The items less those whose right response was right before, or whose wrong one was wrong before.

    A response that recurs on one side only tells that side to whoever counts texts: one right answer against
    three wrong ones gives all three rows away. One that is as often right as wrong (mirrored questions) does not.
    """
    excess: Counter[str] = Counter()  # times right minus times wrong
    kept = []
    for item in items:
        if excess[item.right] <= 0 <= excess[item.wrong]:
            excess[item.right] += 1
            excess[item.wrong] -= 1
            kept.append(item)
    return kept


def balanced_sides(subsets: Sequence[str], rng: np.random.Generator) -> list[int]:
    """A label (1 = the right response comes second) for each row: half of them 1, in every subset as well.

    An odd split has one more of a kind drawn at random.
    """
    order = sorted(rng.permutation(len(subsets)), key=lambda i: subsets[i])
    start = int(rng.integers(2))
    sides = [0] * len(subsets)
    for turn, position in enumerate(order):
        sides[position] = (start + turn) % 2
    return sides


def connected(rows: Sequence[T], keys: Callable[[T], Iterable[Hashable]]) -> list[int]:
    """A component number for each row: rows that share any key, directly or through others, share a number."""
    parent: dict[Hashable, Hashable] = {}

    def root(key: Hashable) -> Hashable:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    firsts = []
    for row in rows:
        first, *others = keys(row)
        firsts.append(first)
        for other in others:
            parent[root(other)] = root(first)
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(root(first), len(numbers)) for first in firsts]


def shuffled(things: Sequence[T], rng: np.random.Generator) -> list[T]:
    return [things[i] for i in rng.permutation(len(things))]


def _by(rows: Sequence[T], keys: Sequence[Hashable]) -> list[list[T]]:
    """The rows of each key, keys in order of first appearance."""
    members: dict[Hashable, list[T]] = {}
    for row, key in zip(rows, keys, strict=True):
        members.setdefault(key, []).append(row)
    return list(members.values())
