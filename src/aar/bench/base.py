"""What a bench is: a named measurement of speed, each figure beside the same work done in a plainer way, in one run.

A timing by itself says more about the machine than about the code; the ratio of two taken side by side does not.
One file here is one bench: `@benches.register("NAME")` on a function (lab, say) -> figures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aar.registry import Registry
from aar.settings import LabFolder


@dataclass(frozen=True)
class Figure:
    """`value` in `unit` (a rate such as "tokens/s", or "s"). `against`: what `baseline` reached in the same unit.
    `target`: what the value is meant to reach, on two idle cores."""

    what: str
    value: float
    unit: str
    baseline: str = ""
    against: float | None = None
    target: float | None = None

    @property
    def times_faster(self) -> float | None:
        """How many times faster than the baseline; None of a figure that is no speed."""
        if self.against is None or not (self.unit in ("s", "%") or self.unit.endswith("/s")):
            return None
        return self.against / self.value if self.unit == "s" else self.value / self.against

    def as_json(self) -> dict[str, Any]:
        return {**self.__dict__, "times_faster": self.times_faster}


Say = Callable[[str], None]
Bench = Callable[[LabFolder, Say], list[Figure]]
benches: Registry[Bench] = Registry("bench", "aar.bench")
