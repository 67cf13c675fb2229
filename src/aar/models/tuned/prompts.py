"""Rows as prompts with one label token at the end: what a finetuned student reads and answers.

The templates are our own words. Label 1 is " B" (the second reply is better) or " True". Knows tokenizers, no models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aar.errors import InputError
from aar.types import Claim, Kind, Pair, Text

LABELS: dict[Kind, tuple[str, str]] = {"pair": (" A", " B"), "binary": (" False", " True")}  # of label 0 and 1


def pair(row: Pair) -> str:
    return (
        f"Two replies to the same request are compared.\n\n# Request\n{row.prompt}\n\n# Reply A\n{row.first}\n\n"
        f"# Reply B\n{row.second}\n\nThe better reply is Reply"
    )


def claim(row: Claim) -> str:
    return (
        f"An answer to a question is checked.\n\n# Question\n{row.question}\n\n# Proposed answer\n{row.choice}\n\n"
        "True or False? The proposed answer is"
    )


def of(row: Text) -> str:
    return pair(row) if isinstance(row, Pair) else claim(row)


def label_ids(tokenizer: Any, kind: Kind) -> tuple[int, int]:
    """The first tokens of the two labels, which must differ. Raises InputError where they do not."""
    zero, one = (tokenizer(label, add_special_tokens=False)["input_ids"][0] for label in LABELS[kind])
    if zero == one:
        raise InputError(
            f"this tokenizer starts {LABELS[kind][0]!r} and {LABELS[kind][1]!r} with the same token",
            hint="use a student whose tokenizer keeps a word's first letter",
        )
    return zero, one


def encode(tokenizer: Any, rows: Sequence[Text], context: int) -> list[list[int]]:
    """Token ids of each prompt, cut at the front to `context`: the label comes at the end."""
    ids: list[list[int]] = tokenizer([of(row) for row in rows])["input_ids"]
    return [i[-context:] for i in ids]
