"""A guess of a method's PGR from its recipe and its process signals, corrected by the lab's few answers.

Bayesian linear regression. Before any answer only two signals count: what seeds taught by different draws of the teacher
agree on, and what most other methods say, is less likely to be a teacher's mistake. All else starts at nothing: held-out
agreement with the teacher, for one, rises as well when its mistakes are easy to learn. A guess is no score. The prior was looked at once against the
truth on development draws of two embedded testbeds (rank correlation with accuracy: seeds .5 and .6, consensus .5 and .7,
agreement .1 and .4, over 140 and 31 drawn recipes); no lab's own rows went into it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aar.errors import MethodError
from aar.methods.card import FAMILIES
from aar.researchers import configs, space, wholes
from aar.researchers.configs import Config
from aar.researchers.signals import Signals

LEVEL, LEVEL_SPREAD = 0.3, 0.3  # PGR of the mean method before any answer, and how little is known of it
SIGNALS = {
    "seeds": 0.06,
    "consensus": 0.06,
    "agreement": 0.0,
    "balance": 0.0,
    "confidence": 0.0,
}  # PGR per standard deviation
SIGNAL_SPREAD, NUMBER_SPREAD, STEP_SPREAD = 0.05, 0.15, 0.07  # how far the weights of each kind may be from that
VERDICT, TOLD, CLAIMED = 0.1, 0.2, 0.3  # noise of a rerun's figure, of an evaluation's, of what others say
CURVED = ("layer",)  # numbers with a best value in between


@dataclass(frozen=True)
class Observation:
    """An answer about a method: a PGR, or None for "not above `bar`"."""

    recipe: Config
    signals: Signals
    pgr: float | None
    bar: float = 0.0
    noise: float = TOLD


def observed(data: Mapping[str, Any], noise: float = CLAIMED) -> Observation | None:
    """What another's finding says of an answer, if it has the right form; its numbers cut to what is possible."""
    signals, pgr, bar = data.get("signals"), data.get("pgr"), data.get("bar", 0.0)
    if "pgr" not in data or not isinstance(signals, dict) or not all(_is_number(signals.get(name)) for name in SIGNALS):
        return None
    if not (pgr is None or _is_number(pgr)) or not _is_number(bar):
        return None
    try:
        recipe = configs.checked(data.get("recipe"))
    except MethodError:
        return None
    kept = {name: _cut(signals[name], 0, 1) for name in SIGNALS}
    return Observation(recipe, kept, None if pgr is None else _cut(pgr, -0.2, 1.2), _cut(bar, 0, 1.2), noise)


class Guess:
    """`trials`: the signals of the methods tried so far; a signal counts in their standard deviations."""

    def __init__(self, trials: Sequence[Signals], observations: Sequence[Observation] = ()) -> None:
        x = np.array([[s.get(name, 0.5) for name in SIGNALS] for s in trials]).reshape(-1, len(SIGNALS))
        self.centre = x.mean(0) if len(x) else np.full(len(SIGNALS), 0.5)
        self.scale = np.maximum(x.std(0), 1e-3) if len(x) > 1 else np.ones(len(SIGNALS))
        genes = [STEP_SPREAD if name is None else NUMBER_SPREAD for name in _GENES]
        spread = np.array([LEVEL_SPREAD, *[SIGNAL_SPREAD] * len(SIGNALS), *genes])
        self.weights = np.array([LEVEL, *SIGNALS.values(), *[0.0] * len(_GENES)])
        self.precision = np.diag(spread**-2)
        for seen in observations:
            self._learn(seen)

    def __call__(self, recipe: Config, signals: Signals | None = None) -> float:
        """The expected PGR; without signals, of a method that was not tried."""
        return float(self._features(recipe, signals) @ self.weights)

    def sampled(self, rng: np.random.Generator) -> Guess:
        """One of the guesses that are possible still: what is little known is tried now and then (Thompson sampling)."""
        other = copy.copy(self)
        noise = rng.normal(size=len(self.weights))
        other.weights = self.weights + np.linalg.solve(np.linalg.cholesky(self.precision).T, noise)
        return other

    def _learn(self, seen: Observation) -> None:
        x, pgr = self._features(seen.recipe, seen.signals), seen.pgr
        if pgr is None:
            if x @ self.weights <= seen.bar:
                return  # as expected: nothing learnt
            pgr = seen.bar
        moment = self.precision @ self.weights + x * pgr / seen.noise**2
        self.precision = self.precision + np.outer(x, x) / seen.noise**2
        self.weights = np.linalg.solve(self.precision, moment)

    def _features(self, recipe: Config, signals: Signals | None) -> np.ndarray:
        z = np.zeros(len(SIGNALS))
        if signals:
            z = (np.array([signals.get(name, 0.5) for name in SIGNALS]) - self.centre) / self.scale
        return np.concatenate([[1.0], np.clip(z, -3, 3), _genes(recipe)])


def _genes(recipe: Config) -> np.ndarray:
    """Numbers in [-1, 1] with a square where one bends; steps as one of so many. A whole method has none of these: its
    family is its gene."""
    if configs.is_whole(recipe):
        kind = wholes.family(recipe)
        return np.array([0.0] * (len(_GENES) - len(FAMILIES)) + [float(kind == name) for name in FAMILIES])
    numbers = [space.NUMBERS[name].place(recipe[name]) for name in space.NUMBERS]
    bent = [space.NUMBERS[name].place(recipe[name]) ** 2 for name in CURVED]
    steps = [float(recipe[step] == name) for step, parts in space.STEPS.items() for name in parts]
    return np.array([*numbers, *bent, *steps, *[0.0] * len(FAMILIES)])


_STEPS = sum(map(len, space.STEPS.values())) + len(FAMILIES)
_GENES: list[str | None] = [*space.NUMBERS, *CURVED, *[None] * _STEPS]


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _cut(value: float, low: float, high: float) -> float:
    return min(high, max(low, float(value)))
