"""Attackers that read labels out of an evaluation service: what INTEGRITY tables, and stronger ones.

Pure functions of `ask(vector) -> Heard`; each returns the vector it would submit last. They know their own guesses,
calibrated confidences and the service's public rules, never a label. `asks` holds one door per accomplice.
A door raises BudgetSpent when it is closed for good; every attacker then makes the best of what it has heard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from aar.errors import BudgetSpent
from aar.scoring.belief import Belief


@dataclass(frozen=True)
class Heard:
    """An answer, as any service gives it; an exact one always says improved."""

    improved: bool
    accuracy: float | None


Ask = Callable[[np.ndarray], Heard]


@dataclass(frozen=True)
class Known:
    """What the attacker starts with. n rows; step 0 means that answers are exact."""

    guess: np.ndarray  # [n] 0/1, the honest vector
    confidence: np.ndarray  # [n] in [.5, 1], P(guess is right)
    floor: float
    step: float
    queries: int  # the most it has time for
    seeds: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))  # [k, n] 0/1, its method under k seeds


Attack = Callable[[Sequence[Ask], Known, np.random.Generator], np.ndarray]


def single_flip(asks: Sequence[Ask], known: Known, rng: np.random.Generator) -> np.ndarray:
    """Flip one row at a time, the least certain first; keep what is answered higher."""
    return _climb(asks[0], known, ([i] for i in np.argsort(known.confidence)))


def hill_climb(asks: Sequence[Ask], known: Known, rng: np.random.Generator) -> np.ndarray:
    """Flip random blocks, just too big to be near-duplicates, among the less certain half; keep what is higher."""
    n = len(known.guess)
    half = np.argsort(known.confidence)[: n // 2]
    size = int(0.02 * n) + 2
    return _climb(asks[0], known, (rng.choice(half, size, replace=False) for _ in range(known.queries)))


def _climb(ask: Ask, known: Known, blocks: Iterator[np.ndarray] | Iterator[list[int]]) -> np.ndarray:
    best = known.guess.copy()
    try:
        height = ask(best).accuracy or 0.0
        for block in blocks:
            tried = _flipped(best, block)
            heard = ask(tried)
            if heard.accuracy is not None and heard.accuracy > height:
                best, height = tried, heard.accuracy
    except BudgetSpent:
        pass
    return best


def bisection(asks: Sequence[Ask], known: Known, rng: np.random.Generator) -> np.ndarray:
    """Count the wrong rows of a block by flipping it; halve the blocks that are mixed."""
    return _count_blocks(asks[0], known, 64)


def block_flip(asks: Sequence[Ask], known: Known, rng: np.random.Generator) -> np.ndarray:
    """The same from blocks of three, which needs the fewest queries at a third wrong."""
    return _count_blocks(asks[0], known, 3)


def _count_blocks(ask: Ask, known: Known, size: int) -> np.ndarray:
    found, n = known.guess.copy(), len(known.guess)
    order = np.argsort(known.confidence)

    def resolve(block: np.ndarray, wrong: int) -> None:
        """Settle a block of which `wrong` rows are wrong."""
        if wrong in (0, len(block)):
            found[block] ^= wrong > 0
            return
        left, right = np.array_split(block, 2)
        in_left = count(left, wrong)
        resolve(left, in_left)
        resolve(right, min(max(wrong - in_left, 0), len(right)))

    def count(block: np.ndarray, at_most: int) -> int:
        heard = ask(_flipped(known.guess, block))
        if heard.accuracy is None:
            return 0  # nothing was said: leave these rows alone
        wrong = round((n * (heard.accuracy - start) + len(block)) / 2)
        return min(max(wrong, 0), len(block), at_most)

    try:
        start = ask(known.guess).accuracy or known.floor
        for at in range(0, n, size):
            block = order[at : at + size]
            resolve(block, count(block, len(block)))
    except BudgetSpent:
        pass
    return found


def boosting(asks: Sequence[Ask], known: Known, rng: np.random.Generator) -> np.ndarray:
    """Ask about random vectors, let each vote as far as it beat one half, add the prior (naive Bayes)."""
    n, p = len(known.guess), np.clip(known.confidence, 0.5, 1 - 1e-6)
    votes = np.log(p / (1 - p)) * (2 * known.guess - 1)
    try:
        for _ in range(known.queries):
            vector = rng.integers(0, 2, n)
            heard = asks[0](vector)
            if heard.accuracy is not None:
                votes += 2 * (2 * heard.accuracy - 1) * (2 * vector - 1)
    except BudgetSpent:
        pass
    return (votes > 0).astype(int)


def regression(asks: Sequence[Ask], known: Known, rng: np.random.Generator) -> np.ndarray:
    """Flip a random tenth of the rows, again and again from the same base; infer all labels from the answers."""

    def vector(belief: Belief, threshold: float) -> np.ndarray:
        return np.where(rng.random(len(known.guess)) < 0.1, -1.0, 1.0)

    return _infer(asks, known, vector)


def parking(margin: float = 0.0) -> Attack:
    """Floor parking: redraw the uncertain rows of a vector worsened until it should land `margin` standard
    deviations under the Ladder's next step, so that every answer, told or not, is worth up to one bit."""

    def attack(asks: Sequence[Ask], known: Known, rng: np.random.Generator) -> np.ndarray:
        return _infer(asks, known, lambda belief, threshold: _parked(belief, threshold, margin, rng))

    return attack


def _parked(belief: Belief, threshold: float, margin: float, rng: np.random.Generator) -> np.ndarray:
    """x [n] in +-1 with x . z expected at `threshold` (in rows right less rows wrong) less the margin."""
    n = len(belief.mean)
    x = np.where(belief.mean >= 0, 1.0, -1.0)
    sure = np.abs(belief.mean)
    target = threshold - margin * belief.spread(x)
    order = np.argsort(sure + 1e-9 * rng.random(n))
    room = int(np.searchsorted(np.cumsum(sure[order]), max(float(sure.sum()) - target, 0)))
    redrawn = order[: min(max(room, n // 10), n // 2)]
    x[rng.permutation(redrawn)[: len(redrawn) // 2]] *= -1
    too_high = float(x @ belief.mean) - target
    if too_high > 0:  # ballast: the surest rows turned round cost the fewest rows
        surest = order[::-1]
        x[surest[: int(np.searchsorted(np.cumsum(2 * sure[surest]), too_high))]] *= -1
    return x


def _infer(asks: Sequence[Ask], known: Known, design: Callable[[Belief, float], np.ndarray]) -> np.ndarray:
    """Ask designed vectors in turn at every door, pool the answers in one belief, return its best guess."""
    n = len(known.guess)
    belief, told = Belief(known.confidence, known.queries), [known.floor] * len(asks)
    doors = list(range(len(asks)))
    for turn in range(known.queries):
        if not doors:
            break
        door = doors[turn % len(doors)]
        limit = told[door] + known.step
        x = design(belief, n * (2 * limit - 1))
        try:
            heard = asks[door](np.where(x > 0, known.guess, 1 - known.guess))
        except BudgetSpent:
            doors.remove(door)
            continue
        low, high = 0.0, limit
        if heard.accuracy is not None:
            half = max(known.step / 2, 0.25 / n)
            low, high, told[door] = heard.accuracy - half, heard.accuracy + half, heard.accuracy
        belief.hear(x, n * (2 * low - 1), n * (2 * high - 1))
    return np.where(belief.mean >= 0, known.guess, 1 - known.guess)


def best_of_seeds(asks: Sequence[Ask], known: Known, rng: np.random.Generator) -> np.ndarray:
    """Run the method under many seeds and keep the one that was answered highest."""
    best, height = known.seeds[0], 0.0
    try:
        for vector in known.seeds:
            heard = asks[0](vector)
            if heard.accuracy is not None and heard.accuracy > height:
                best, height = vector, heard.accuracy
    except BudgetSpent:
        pass
    return best


def _flipped(vector: np.ndarray, rows: np.ndarray | list[int]) -> np.ndarray:
    out = vector.copy()
    out[rows] ^= 1
    return out


ATTACKS: dict[str, Attack] = {
    "single flip": single_flip,
    "bisection": bisection,
    "block flip": block_flip,
    "hill climb": hill_climb,
    "boosting": boosting,
    "regression": regression,
    "floor parking": parking(0.0),
    "floor parking, wide": parking(1.0),
    "best of 200 seeds": best_of_seeds,
}
