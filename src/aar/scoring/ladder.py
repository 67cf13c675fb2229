"""The Ladder: answers "improved" with an accuracy on a grid, or "not improved" with nothing else.

A pure state machine (Blum & Hardt 2015, arXiv 1502.04585, with a fixed step): state in, state and answer out. Knows
no labels, no budget and no clock. It starts at the weak floor, so nothing below the floor is ever told. Step and
grid are in accuracy, max(.01, .36 / sqrt(n)): the grid is anchored at the floor, an answer is rounded to the
nearest line, and the next improvement must exceed that line by a whole step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

_EPS = 1e-9  # accuracies are sums of halves over n; this is far below one row


def step_for(n: int) -> float:
    """Step and grid in accuracy for n interactive rows: .01013 at 1263, .018 at 400."""
    return max(0.01, 0.36 / math.sqrt(n))


@dataclass(frozen=True)
class Ladder:
    """`level` steps above the floor is the best accuracy told so far."""

    floor: float
    step: float
    level: int = 0

    @property
    def told(self) -> float:
        """The best accuracy told so far, on the grid; the floor before the first improvement."""
        return min(1.0, self.floor + self.level * self.step)

    @property
    def threshold(self) -> float:
        """What the next vector must exceed; it follows from what was told, so it is no secret."""
        return self.floor + (self.level + 1) * self.step

    def answer(self, accuracy: float) -> tuple[Ladder, bool]:
        """The next state and whether it is an improvement; when it is, tell `state.told` and nothing more."""
        height = (accuracy - self.floor) / self.step
        improved = height > self.level + 1 + _EPS
        return replace(self, level=math.floor(height + 0.5) if improved else self.level), improved
