"""What a method says of itself. A built-in method is a module with `CARD` and `run(task)`: the very shape that a
researcher's `method.py` has, so that copying one out of the library gives a working method folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Input = Literal["weak", "features", "score", "generate", "fit", "labelled", "votes", "ladder", "pairs"]


@dataclass(frozen=True)
class Card:
    """family: imitation | loss | selection | elicitation | combination | search | generative.
    inputs: what it needs of the task and the student. source: paper and equation, and where we depart from it.
    formula: LaTeX. human: one of the human-tuned baselines that a study is measured against."""

    family: str
    inputs: tuple[Input, ...]
    source: str
    summary: str
    defaults: dict[str, Any] = field(default_factory=dict)
    formula: str = ""
    human: bool = False
    cost: Literal["seconds", "minutes"] = "seconds"

    def settle(self, params: dict[str, Any]) -> dict[str, Any]:
        """Defaults overridden by what was asked for; an unknown name is an error that lists the known ones."""
        from aar.errors import MethodError

        if unknown := sorted(set(params) - set(self.defaults)):
            raise MethodError(f"unknown parameter {unknown[0]!r}", code="unknown_parameter",
                              hint=f"known: {', '.join(self.defaults) or 'none'}")
        return {**self.defaults, **params}
