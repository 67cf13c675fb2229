"""`--as-pairs`: rows of one question with right and wrong choices become comparisons of a right and a wrong one.

Each choice is used at most once; which is paired with which and which side is right is keyed by the lab secret.
"""

from __future__ import annotations

from collections.abc import Sequence

from aar.errors import InputError
from aar.testbeds.records import Checked
from aar.testbeds.rows import SPLITS, Split
from aar.testbeds.secret import keyed_rng
from aar.testbeds.split import balanced_sides, shuffled
from aar.types import Pair

Match = tuple[Checked, Checked]


def as_pairs(rows: Sequence[Checked], secret: bytes) -> tuple[list[Checked], list[str]]:
    """(pair rows, notes). Splits stay as they are; a split that would be left empty is refused."""
    if rows[0].kind == "pair":
        raise InputError("--as-pairs: the rows are pairs already", code="already_pairs", hint="leave the option out")
    if unlabeled := next((row for row in rows if row.label is None), None):
        hint = "label them (they stay sealed) or import the rows as they are"
        raise InputError(f"{unlabeled.where}: --as-pairs needs a label on every row", code="missing_label", hint=hint)
    pairs: list[Checked] = []
    for split in [split for split in SPLITS if any(row.split == split for row in rows)]:
        matches = _match([row for row in rows if row.split == split], secret)
        if not matches:
            hint = "each file needs questions with a right and a wrong choice"
            raise InputError(f"{split}: no question has both", code="no_pairs", hint=hint)
        pairs += _pairs(matches, split, secret)
    alone = len(rows) - 2 * len(pairs)
    return pairs, [f"{len(pairs)} pairs made; {alone} of {len(rows)} rows had no partner and were left out"]


def _match(rows: Sequence[Checked], secret: bytes) -> list[Match]:
    """(right, wrong) rows of one question each, with different texts."""
    questions: dict[str, tuple[list[Checked], list[Checked]]] = {}
    for row in rows:
        questions.setdefault(row.text.question, ([], []))[int(bool(row.label))].append(row)
    matches: list[Match] = []
    for question, (wrong, right) in sorted(questions.items()):
        rng = keyed_rng(secret, "partners", question)
        candidates = zip(shuffled(right, rng), shuffled(wrong, rng), strict=False)
        matches += [(good, bad) for good, bad in candidates if good.text != bad.text]
    return matches


def _pairs(matches: Sequence[Match], split: Split, secret: bytes) -> list[Checked]:
    subsets = [_both(good.subset, bad.subset) for good, bad in matches]
    sides = balanced_sides(subsets, keyed_rng(secret, "pair sides", split))
    rows = []
    for (good, bad), subset, side in zip(matches, subsets, sides, strict=True):
        first, second = (bad, good) if side else (good, bad)
        text = Pair(good.text.question, first.text[1], second.text[1])
        difficulty = _both(good.difficulty, bad.difficulty)
        rows.append(Checked(good.where, split, "pair", text, side, subset, difficulty, good.group))
    return rows


def _both(right: str, wrong: str) -> str:
    return right if right == wrong else f"{right} / {wrong}"
