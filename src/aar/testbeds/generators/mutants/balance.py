"""Choose mutants so that no surface count tells a mutant from an original.

Each mutant has a direction per surface feature: does it have more (+1) or fewer (-1) of a token than its original, is
it longer or shorter? A greedy choice keeps the running sum of these directions near zero, as in vector balancing, so
that `<` becomes `<=` about as often as `<=` becomes `<`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

TOKEN = re.compile(r"[A-Za-z_]\w*|\d+|[^\s\w]|\n *")
LENGTH_WEIGHT = 3.0
KIND_WEIGHT = 30.0


def directions(right: str, wrong: str) -> dict[str, float]:
    """Surface feature -> +1 or -1, for those that differ between the two."""
    counts = Counter(TOKEN.findall(wrong))
    counts.subtract(TOKEN.findall(right))
    signs = {token: float(np.sign(count)) for token, count in counts.items() if count}
    longer = float(np.sign(len(wrong) - len(right)))
    return signs | ({"": LENGTH_WEIGHT * longer} if longer else {})


@dataclass
class Balance:
    """Running sums over what was chosen so far."""

    sums: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)

    def cost(self, kind: str, signs: dict[str, float]) -> float:
        """By how much the choice would lengthen the vector of sums, and how common its kind already is."""
        drift = sum(2 * self.sums[token] * sign + sign * sign for token, sign in signs.items())
        return drift + KIND_WEIGHT * self.kinds[kind] / max(self.kinds.total(), 1)

    def choose(self, rng: np.random.Generator, candidates: Sequence[tuple[str, dict[str, float]]]) -> int:
        """The index of the cheapest (kind, directions), ties broken at random."""
        costs = [self.cost(kind, signs) + 1e-6 * rng.random() for kind, signs in candidates]
        best = int(np.argmin(costs))
        kind, signs = candidates[best]
        self.sums.update(signs)
        self.kinds[kind] += 1
        return best
