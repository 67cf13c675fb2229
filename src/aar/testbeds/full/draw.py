"""Who goes where: so many rows of each pool to each split, no question in two, labels balanced in every cell.

A cell is a subset (data set or generator) at one difficulty. Claims come in twos, one true and one false of the same
cell; a pair is turned round in half of a cell's rows. All orders are keyed by the lab secret.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from aar.testbeds.full.beds import Candidate
from aar.testbeds.full.overlap import overlapping, report
from aar.testbeds.rows import Split
from aar.testbeds.secret import keyed_id, keyed_rng
from aar.testbeds.split import balanced_sides
from aar.types import Claim, Pair

ORDER: tuple[Split, ...] = ("test", "ood", "labeled", "unlabeled")  # tests first: training gives way to them
Drawn = dict[Split, list[Candidate]]


def draw(
    candidates: Sequence[Candidate], quotas: Mapping[Split, Mapping[str, int]], secret: bytes, name: str
) -> tuple[Drawn, list[str]]:
    """(rows of each split, notes on what is short or was left out)."""
    left = _distinct(candidates, secret, name)
    drawn: Drawn = {}
    notes = []
    for split in ORDER:
        if split == "labeled":  # from here on: training
            left, note = _decontaminated(left, [row for rows in drawn.values() for row in rows])
            notes.append(note)
        drawn[split] = []
        for pool, wanted in quotas[split].items():
            there = [row for row in left if row.pool == pool]
            rows = list(_balanced(there, _goal(split, pool, quotas, there)))
            drawn[split] += rows
            taken = {row.question for row in rows}
            left = [row for row in left if row.question not in taken]
            if len(rows) < wanted:
                notes.append(f"{split}: {len(rows)} of {wanted} rows from {pool}")
    return {split: _sided(rows, split, secret, name) for split, rows in drawn.items()}, notes


def _distinct(candidates: Sequence[Candidate], secret: bytes, name: str) -> list[Candidate]:
    """Each text once (twice with different labels: never), questions in keyed order, the rows of one together."""
    labels: dict[object, set[int]] = defaultdict(set)
    for row in candidates:
        labels[row.text].add(row.label)
    unique = {row.text: row for row in reversed(candidates) if len(labels[row.text]) == 1}
    place = {row.question: keyed_id(secret, "full", name, row.question) for row in unique.values()}
    return sorted(unique.values(), key=lambda row: (place[row.question], keyed_id(secret, "full", name, *row.text)))


def _decontaminated(left: Sequence[Candidate], tests: Sequence[Candidate]) -> tuple[list[Candidate], str]:
    unclean = overlapping((row.question for row in left), (row.question for row in tests))
    return [r for r in left if r.question not in unclean], report([r.subset for r in left if r.question in unclean])


def _goal(split: Split, pool: str, quotas: Mapping[Split, Mapping[str, int]], there: Sequence[Candidate]) -> int:
    """What was asked for; of a pool that holds less than all its splits want, the split's share."""
    wanted = quotas[split][pool]
    all_wanted = sum(quotas[later].get(pool, 0) for later in ORDER[ORDER.index(split) :])
    have = sum(1 for _ in _balanced(there, all_wanted))
    return wanted if have == all_wanted else round(have * wanted / all_wanted)


def _balanced(rows: Sequence[Candidate], n: int) -> Iterator[Candidate]:
    """Up to n of them. A claim waits until one of the other label comes in its cell, and they leave together."""
    waiting: dict[tuple[str, str], tuple[list[Candidate], list[Candidate]]] = defaultdict(lambda: ([], []))
    given = 0
    for row in rows:
        if isinstance(row.text, Pair):
            leaving = [row]
        elif others := waiting[row.subset, row.difficulty][1 - row.label]:
            leaving = [others.pop(0), row]
        else:
            waiting[row.subset, row.difficulty][row.label].append(row)
            continue
        for one in leaving[: n - given]:
            given += 1
            yield one
        if given >= n:
            return


def _sided(rows: Sequence[Candidate], split: Split, secret: bytes, name: str) -> list[Candidate]:
    """Pairs with the better response first or second; claims as they are."""
    if not rows or isinstance(rows[0].text, Claim):
        return list(rows)
    rng = keyed_rng(secret, "full sides", name, split)
    sides = np.array(balanced_sides([f"{row.subset}\0{row.difficulty}" for row in rows], rng))
    return [_turned(row) if side else row for row, side in zip(rows, sides, strict=True)]


def _turned(row: Candidate) -> Candidate:
    prompt, better, worse = row.text  # type: ignore[misc]
    return Candidate(row.where, row.pool, Pair(prompt, worse, better), 1, row.subset, row.difficulty)
