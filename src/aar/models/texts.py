"""A row -> the texts a model reads. The one place that spells the template, so that features are shared."""

from __future__ import annotations

from collections.abc import Sequence

from aar.types import Claim, Text


def of(row: Text) -> tuple[str, ...]:
    """A pair reads as two texts (prompt and first, prompt and second), a claim as one (question and choice)."""
    if isinstance(row, Claim):
        return (f"{row.question}\n{row.choice}",)
    return (f"{row.prompt}\n{row.first}", f"{row.prompt}\n{row.second}")


def flat(rows: Sequence[Text]) -> list[str]:
    """All texts of these rows, each once, in order of first appearance: what to extract features for."""
    return list(dict.fromkeys(text for row in rows for text in of(row)))
