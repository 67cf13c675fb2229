"""Small Qwen models that are finetuned on the labelled rows themselves: the teachers of the full testbeds.

All labelled rows by default, since there are few against what such a model can learn; a seed is an order of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from aar.errors import Unsupported
from aar.models.tuned.rules import Tuning
from aar.teachers.base import draw, teachers
from aar.types import Fit, Kind, Model, Rows

if TYPE_CHECKING:
    from aar.models.tuned.student import TunedStudent


@dataclass(frozen=True)
class TunedTeacher:
    """`model`: a folder below the models' folder, or a hub id. Reads texts, no stored features."""

    model: str
    share: float = 1.0
    rules: Tuning = field(default_factory=Tuning)
    reads: None = None

    def fit(self, rows: Rows, labels: np.ndarray, seed: int, base: Model | None) -> Model:
        seen = draw(len(rows), seed, self.share)
        student = _student(self.model, rows.kind, self.rules)
        (model,) = student.fit([Fit(rows.take(seen), labels[seen].astype(np.float32), seed=seed)])
        return model


@lru_cache(maxsize=1)  # sixteen seeds read the weights once
def _student(model: str, kind: Kind, rules: Tuning) -> TunedStudent:
    from aar.models import weights
    from aar.models.student import HeadStudent
    from aar.models.tuned.student import TunedStudent

    return TunedStudent(HeadStudent(_NoFeatures(), model, kind, 0, folder=weights.find(model)), rules)


class _NoFeatures:
    width = 0

    def get(self, texts: object, layer: int, pooling: str = "mean") -> np.ndarray:
        raise Unsupported("a finetuned teacher has no stored features")


teachers.register("qwen1.5-0.5b-chat")(TunedTeacher("Qwen1.5-0.5B-Chat"))
teachers.register("qwen2.5-0.5b")(TunedTeacher("Qwen2.5-0.5B"))
