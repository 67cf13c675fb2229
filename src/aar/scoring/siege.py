"""A simulated test set, an attacker's knowledge of it, and the two services it may attack: exact or gated.

Used by the tests, the benchmark and the planted cheats. Rows are independent; the attacker is right on a row with
exactly the confidence it has, which is more than a real one knows. `shape` says how that confidence is spread:
"even" (uniform on .5 to 2a - .5) or "certain" (sure of some rows, a coin flip on the others: the worst case).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from aar.errors import BudgetSpent
from aar.scoring.attackers import Ask, Attack, Heard, Known
from aar.scoring.gate import DAY, HOUR, Exam, Gate, GateRules
from aar.scoring.gatelog import MemoryGateStore
from aar.scoring.ladder import step_for

FLOOR, HONEST = 0.55, 0.68


@dataclass(frozen=True)
class World:
    gold: np.ndarray  # [n] 0/1
    known: Known
    fresh: np.ndarray  # [5, n]: the method under seeds that the server chose

    def gain(self, vector: np.ndarray) -> float:
        """Accuracy points over the honest vector."""
        return 100 * float((vector == self.gold).mean() - (self.known.guess == self.gold).mean())


def draw_world(rng: np.random.Generator, n: int, queries: int, shape: str = "even", step: float | None = None) -> World:
    """n rows with an honest accuracy of .68; a method whose seeds differ with an sd of 1.06 points at 1,263 rows."""
    if shape == "even":
        confidence = rng.uniform(0.5, 2 * HONEST - 0.5, n)
    else:
        confidence = np.where(rng.random(n) < 2 * (1 - HONEST), 0.5, 1.0)
    guess, right = rng.integers(0, 2, n), rng.random(n) < confidence
    gold = np.where(right, guess, 1 - guess)
    # A seed repeats the honest outcome on 35 % of the rows and redraws the others: no seed is better than the next.
    outcome = np.where(rng.random((205, n)) < 0.35, right, rng.random((205, n)) < confidence)
    vectors = np.where(outcome, gold, 1 - gold)
    known = Known(guess, confidence, FLOOR, step_for(n) if step is None else step, queries, vectors[:200])
    return World(gold, known, vectors[200:])


def exact_door(world: World) -> Ask:
    """The reference system: any vector, any number of times, the exact accuracy."""

    def ask(vector: np.ndarray) -> Heard:
        return Heard(True, float((vector == world.gold).mean()))

    return ask


class Siege:
    """A gate over one world, with as many researchers' doors as wanted and all the time in the world."""

    def __init__(self, world: World, rules: GateRules | None = None) -> None:
        self.now = 0.0
        ids = tuple(f"r{i}" for i in range(len(world.gold)))
        self.exam = Exam("simulated", "L", ids, world.gold, FLOOR, 0.9)
        self.gate = Gate(MemoryGateStore(), rules, clock=lambda: self.now)

    def door(self, researcher: str) -> Ask:
        """Ask as this researcher; wait for the next hour or day where that helps, else raise BudgetSpent."""

        def ask(vector: np.ndarray) -> Heard:
            predictions = dict(zip(self.exam.ids, vector.tolist(), strict=True))
            try:
                said = self.gate.answer(self.exam, researcher, predictions)
            except BudgetSpent as refusal:
                if refusal.hint.startswith("submit"):
                    raise
                self.now += HOUR if refusal.code == "too_many_duplicates" else DAY
                return ask(vector)
            return Heard(said.status == "improved", said.accuracy)

        return ask

    def doors(self, accomplices: int) -> list[Ask]:
        return [self.door(f"a{k}") for k in range(accomplices)]


def attack_exact(attack: Attack, n: int, queries: int, redraws: int, seed: int = 0) -> np.ndarray:
    """[redraws] gains with the defence off."""
    gains = []
    for rng in np.random.default_rng(seed).spawn(redraws):
        world = draw_world(rng, n, queries, step=0.0)
        gains.append(world.gain(attack([exact_door(world)], world.known, rng)))
    return np.array(gains)


def attack_gate(
    attack: Attack,
    n: int,
    redraws: int,
    *,
    accomplices: int = 1,
    rules: GateRules | None = None,
    seed: int = 0,
    shape: str = "even",
    queries: int = 3000,
) -> np.ndarray:
    """[redraws] gains with the defence on; the gate expects nobody else, so that its whole budget is theirs."""
    rules = replace(rules or GateRules(), researchers=accomplices)
    gains = []
    for rng in np.random.default_rng(seed).spawn(redraws):
        world = draw_world(rng, n, queries, shape)
        gains.append(world.gain(attack(Siege(world, rules).doors(accomplices), world.known, rng)))
    return np.array(gains)


def upper_bound(gains: Sequence[float] | np.ndarray) -> float:
    """One-sided 95 % upper bound of the mean gain."""
    gains = np.asarray(gains)
    return float(gains.mean() + 1.645 * gains.std(ddof=1) / np.sqrt(len(gains)))
