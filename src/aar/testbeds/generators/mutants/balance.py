"""Choose mutants so that no surface count tells a mutant from an original.

Each mutant has a direction per surface feature: does it have more (+1) or fewer (-1) of a token than its original, is
it longer or shorter? A greedy choice keeps the running sum of these directions near zero, as in vector balancing, so
that `<` becomes `<=` about as often as `<=` becomes `<`. This bounds single counts; what a model can still learn from
combinations of them is part of the task.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

TOKEN = re.compile(r"[A-Za-z_]\w*|\d+|[^\s\w]|\n *")
SLACK = 0.1
"""Share of the rows by which a sum may drift before it costs anything: a stump on one count stays near 55 %."""
KIND_WEIGHT = 30.0
SHARES = {
    "repeated line": 4.0,
    "start value": 5.0,
    "boundary": 1.5,
    "arithmetic": 1.5,
    "assignment": 1.5,
    "variable": 0.7,
    "call": 0.3,
    "logic": 0.2,
    "comparison": 0.15,
    "missing line": 0.05,
}
"""How common a kind should be relative to 1: fewer of those that look alike to the models."""


def directions(right: str, wrong: str) -> dict[str, float]:
    """Surface feature -> +1 or -1, for those that differ between the two."""
    counts = Counter(TOKEN.findall(wrong))
    counts.subtract(TOKEN.findall(right))
    signs = {token: float(np.sign(count)) for token, count in counts.items() if count}
    return signs | ({"": float(np.sign(len(wrong) - len(right)))} if len(wrong) != len(right) else {})


@dataclass
class Balance:
    """Running sums over what was chosen so far."""

    sums: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)

    def cost(self, kind: str, signs: dict[str, float]) -> float:
        """By how much the choice would lengthen the vector of sums beyond the slack, and how common its kind is."""
        slack = SLACK * self.kinds.total()
        drift = sum(_excess(self.sums[t] + sign, slack) - _excess(self.sums[t], slack) for t, sign in signs.items())
        return drift + KIND_WEIGHT * self.kinds[kind] / max(self.kinds.total(), 1) / SHARES.get(kind, 1.0)

    def choose(self, rng: np.random.Generator, candidates: Sequence[tuple[str, dict[str, float]]]) -> int:
        """The index of the cheapest (kind, directions), ties broken at random."""
        costs = [self.cost(kind, signs) + 1e-6 * rng.random() for kind, signs in candidates]
        best = int(np.argmin(costs))
        kind, signs = candidates[best]
        self.sums.update(signs)
        self.kinds[kind] += 1
        return best


def _excess(total: float, slack: float) -> float:
    return float(max(abs(total) - slack, 0) ** 2)
