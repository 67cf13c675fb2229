"""What a method says of itself. A built-in method is a module with `CARD` and `run(task)`: the very shape that a
researcher's `method.py` has, so that copying one out of the library gives a working method folder.

    CARD = Card(family="loss", inputs=("weak", "fit"), source="...", summary="...", defaults={"q": 0.7})

    def run(task):
        task, p = CARD.open(task)
        return Recipe(label="hard", loss="gce", loss_params=p).run(task)
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np

from aar.errors import MethodError, Unsupported
from aar.types import Ability, Kind, Rows, Task

Family = Literal["imitation", "loss", "selection", "elicitation", "combination", "search", "generative"]
Input = Literal[
    "weak", "features", "score", "generate", "fit", "tune", "labelled", "votes", "ladder", "weak_model", "pairs"
]  # fmt: skip
BUDGET = 3  # configurations that a method may try in the table: its defaults and at most two others

WHAT_IT_IS: dict[str, str] = {
    "weak": "weak labels", "features": "hidden states", "score": "zero-shot scores", "generate": "generation",
    "fit": "finetuning", "tune": "a body that is finetuned", "labelled": "labelled rows", "votes": "several teachers", "ladder": "intermediate models",
    "weak_model": "the weak model itself", "pairs": "pairs",
}  # fmt: skip


@dataclass(frozen=True)
class Card:
    """inputs: what it needs of the task and the student. source: paper and equation. departs: where public code departs
    from the paper, and we from either. formula: LaTeX. grid: at most two other settings worth trying, as overrides of
    the defaults. human: one of the human-tuned baselines that a study is measured against."""

    family: Family
    inputs: tuple[Input, ...]
    source: str
    summary: str
    defaults: dict[str, Any] = field(default_factory=dict)
    formula: str = ""
    departs: str = ""
    grid: tuple[dict[str, Any], ...] = ()
    human: bool = False
    cost: Literal["seconds", "minutes"] = "seconds"

    def open(self, task: Task) -> tuple[Task, dict[str, Any]]:
        """The first line of every method: (the task, its training and trusted rows in the order of their ids, so that no
        draw depends on how a file was sorted; defaults overridden by `task.params`).

        Raises Unsupported where the task or the student lacks an input, MethodError for an unknown parameter.
        """
        if absent := self.missing(task.student.can, task.kind, offered(task)):
            raise Unsupported(
                f"not run on this student or problem: it offers no {WHAT_IT_IS[absent[0]]}",
                hint=f"the method needs: {', '.join(WHAT_IT_IS[i] for i in self.inputs)}",
            )
        trusted = task.labelled and by_id(task.labelled)
        return replace(task, train=by_id(task.train), labelled=trusted), self.settle(task.params)

    def settle(self, params: dict[str, Any]) -> dict[str, Any]:
        """Defaults overridden by what was asked for; an unknown name is an error that lists the known ones."""
        if unknown := sorted(set(params) - set(self.defaults)):
            raise MethodError(
                f"unknown parameter {unknown[0]!r}",
                code="unknown_parameter",
                hint=f"known: {', '.join(self.defaults) or 'none'}",
            )
        return {**self.defaults, **params}

    def missing(self, can: Collection[Ability], kind: Kind, has: Collection[Input]) -> list[Input]:
        """The inputs that a student with these abilities, on rows of this kind, with these extras, does not offer."""
        there = {*can, *has} | ({"pairs"} if kind == "pair" else set())
        return [i for i in self.inputs if i not in there]

    @property
    def student(self) -> str:
        """Which students can run it, in a few words."""
        asked = {"score": "scores", "generate": "generates", "tune": "is finetuned"}
        wants = [what for ability, what in asked.items() if ability in self.inputs]
        return f"one that {' and '.join(wants)}" if wants else "any"

    def configurations(self) -> list[dict[str, Any]]:
        """What the table tries: overrides of the defaults, the defaults themselves first."""
        return [{}, *self.grid][:BUDGET]


def by_id(rows: Rows) -> Rows:
    order = np.argsort(np.array(rows.ids), kind="stable")
    return rows if (order == np.arange(len(order))).all() else rows.take(order)


def offered(task: Task) -> set[Input]:
    """What a task offers beside its student's abilities and its kind."""
    extras = {
        "weak": task.train.weak,
        "votes": task.train.votes,
        "labelled": task.labelled,
        "ladder": task.ladder or None,
        "weak_model": task.weak_model,
    }
    return {name for name, value in extras.items() if value is not None}  # type: ignore[misc]


FAMILIES: tuple[str, ...] = get_args(Family)
