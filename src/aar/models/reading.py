"""What a trained model does not change: features, scores and samples are those of the model that it was trained on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from aar.types import Model, Rows, Side


class Reading(ABC):
    """`features`, `score` and `generate` of `reader`."""

    @property
    @abstractmethod
    def reader(self) -> Model: ...

    def features(self, rows: Rows, layer: int | None = None, side: Side = "diff") -> np.ndarray:
        return self.reader.features(rows, layer, side)

    def score(self, prompts: Sequence[str], completions: Sequence[Sequence[str]]) -> np.ndarray:
        return self.reader.score(prompts, completions)

    def generate(
        self, prompts: Sequence[str], n: int = 1, temperature: float = 1.0, max_tokens: int = 64, seed: int = 0
    ) -> list[list[str]]:
        return self.reader.generate(prompts, n, temperature, max_tokens, seed)
