"""The configurations that `random` and `search` vary: recipes as plain data. Drawing, changing, checking, writing, reading.

A recipe is a dict of `methods.parts.recipe.Recipe` arguments. Steps take all 240 steps of the student's default unless
`epochs` says fewer (one step an epoch where all rows fit a batch). Whatever comes from elsewhere passes `checked`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aar.errors import MethodError
from aar.sandboxes import results

Recipe = dict[str, Any]
Rng = np.random.Generator


@dataclass(frozen=True)
class Real:
    """A number in [low, high], to three digits; `log`: drawn evenly in its logarithm."""

    low: float
    high: float
    log: bool = False

    def draw(self, rng: Rng) -> float:
        if self.log:
            return self._tidy(math.exp(rng.uniform(math.log(self.low), math.log(self.high))))
        return self._tidy(rng.uniform(self.low, self.high))

    def nudge(self, value: float, rng: Rng) -> float:
        """A step of about a fifth of the range."""
        if self.log:
            return self._tidy(value * math.exp(rng.normal() * 0.2 * math.log(self.high / self.low)))
        return self._tidy(value + rng.normal() * 0.2 * (self.high - self.low))

    def place(self, value: float) -> float:
        """Where it lies, from -1 at the low end to 1."""
        if self.log:
            return 2 * math.log(value / self.low) / math.log(self.high / self.low) - 1
        return 2 * (value - self.low) / (self.high - self.low) - 1

    def holds(self, value: Any) -> bool:
        return type(value) in (int, float) and self.low <= value <= self.high

    def _tidy(self, value: float) -> float:
        return float(f"{min(self.high, max(self.low, value)):.3g}")


@dataclass(frozen=True)
class Whole:
    """An integer from low to high."""

    low: int
    high: int

    def draw(self, rng: Rng) -> int:
        return int(rng.integers(self.low, self.high + 1))

    def nudge(self, value: int, rng: Rng) -> int:
        size = max(1, round(abs(rng.normal()) * 0.2 * (self.high - self.low)))
        return min(self.high, max(self.low, value + (size if rng.random() < 0.5 else -size)))

    def place(self, value: int) -> float:
        """Where it lies, from -1 at the low end to 1."""
        return 2 * (value - self.low) / (self.high - self.low) - 1

    def holds(self, value: Any) -> bool:
        return type(value) is int and self.low <= value <= self.high


Range = Real | Whole
Parts = Mapping[str, Mapping[str, Range]]

LABELS: Parts = {
    "hard": {},
    "soft": {},
    "sharpened": {"temperature": Real(0.2, 2, log=True)},
    "smoothed": {"epsilon": Real(-0.3, 0.4)},
    "balanced": {"prior": Real(0.45, 0.55)},
    "neighbours": {"k": Whole(5, 80)},
}
SELECTIONS: Parts = {
    "everything": {},
    "confident": {"keep": Real(0.2, 0.9)},
    "agreeing": {"keep": Real(0.3, 0.9)},
    "dense": {"keep": Real(0.3, 0.9), "k": Whole(5, 60)},
}
LOSSES: Parts = {
    "xent": {},
    "logconf": {"a_max": Real(0.1, 0.9), "warmup": Real(0.02, 0.6)},
    "entropy": {"a_max": Real(0.05, 0.6), "warmup": Real(0.02, 0.6)},
    "product": {"alpha": Real(0.5, 2), "beta": Real(0.1, 1)},
    "window": {"radius": Real(0.05, 0.45)},
    "reverse_kl": {},
    "reverse_ce": {},
    "gce": {"q": Real(0.1, 1)},
    "sce": {"alpha": Real(0.1, 2), "beta": Real(0.1, 2)},
    "bootstrap_soft": {"b": Real(0.5, 0.98)},
    "bootstrap_hard": {"b": Real(0.4, 0.95)},
    "peer": {"alpha": Real(0.1, 1)},
    "elr": {"b": Real(0.5, 0.9), "strength": Real(0.2, 3)},
}
STEPS: Mapping[str, Parts] = {"label": LABELS, "select": SELECTIONS, "loss": LOSSES}
NUMBERS: Mapping[str, Range] = {
    "layer": Whole(6, 20),
    "rounds": Whole(0, 2),
    "trust": Real(0.2, 1),
    "members": Whole(1, 4),
    "epochs": Whole(20, 240),
    "lr": Real(0.004, 0.04, log=True),
}
GENES = (*STEPS, *NUMBERS)


def draw(rng: Rng, family: Mapping[str, Sequence[Any]] | None = None) -> Recipe:
    """A recipe drawn evenly, gene by gene. `family` (see `directions`): gene -> the values to choose among."""
    recipe: Recipe = {}
    for gene in GENES:
        given = (family or {}).get(gene)
        _set(recipe, gene, given[int(rng.integers(len(given)))] if given else _drawn(gene, rng), rng)
    return recipe


def mutate(recipe: Recipe, rng: Rng) -> Recipe:
    """One or two genes changed: a parameter or number nudged, or a step exchanged."""
    child = _copy(recipe)
    for _ in range(1 + int(rng.random() < 0.4)):
        gene = GENES[int(rng.integers(len(GENES)))]
        if gene in NUMBERS:
            child[gene] = NUMBERS[gene].nudge(child[gene], rng)
        elif child[f"{gene}_params"] and rng.random() < 0.5:
            name = sorted(child[f"{gene}_params"])[int(rng.integers(len(child[f"{gene}_params"])))]
            params = child[f"{gene}_params"]
            params[name] = STEPS[gene][child[gene]][name].nudge(params[name], rng)
        else:
            _set(child, gene, _drawn(gene, rng), rng)
    return child


def cross(one: Recipe, other: Recipe, rng: Rng) -> Recipe:
    """Each gene, with its parameters, from either parent."""
    child: Recipe = {}
    for gene in GENES:
        source = one if rng.random() < 0.5 else other
        child |= {key: source[key] for key in (gene, f"{gene}_params") if key in source}
    return _copy(child)


def canonical(recipe: Recipe) -> str:
    """The same text for the same configuration: what distinct ones are counted by."""
    return json.dumps(recipe, sort_keys=True)


def checked(raw: Any) -> Recipe:
    """A recipe from anywhere: every gene there, every name known, every number in its range. MethodError otherwise."""
    keys = {*GENES, *(f"{step}_params" for step in STEPS)}
    if not isinstance(raw, dict) or set(raw) != keys:
        raise MethodError("a recipe has just these keys: " + ", ".join(sorted(keys)), code="bad_recipe")
    for step, parts in STEPS.items():
        ranges = parts.get(raw[step]) if isinstance(raw[step], str) else None
        params = raw[f"{step}_params"]
        if ranges is None or not isinstance(params, dict) or set(params) != set(ranges):
            raise MethodError(f"not a {step} step with its parameters", code="bad_recipe")
        if not all(ranges[k].holds(v) for k, v in params.items()):
            raise MethodError(f"a parameter of {step} is out of range", code="bad_recipe")
    if not all(kind.holds(raw[k]) for k, kind in NUMBERS.items()):
        raise MethodError("a number is out of range", code="bad_recipe")
    return _copy(raw)


SOURCE = '''"""{why}"""

from aar.methods.parts.recipe import Recipe

RECIPE = {recipe}


def run(task):
    return Recipe(**RECIPE).run(task)
'''
_RECIPE = re.compile(r"^RECIPE = (\{.*?^\})$", re.DOTALL | re.MULTILINE)


def plain(why: str) -> str:
    """Words that can stand in a docstring's line."""
    return re.sub(r"[^\w .,:;()+-]", " ", why)


def source(recipe: Recipe, why: str) -> str:
    """The text of a `method.py`. The recipe has neither null nor booleans, so its JSON is Python as well."""
    return SOURCE.format(why=plain(why), recipe=json.dumps(recipe, indent=4, sort_keys=True))


def read(text: str) -> Recipe:
    """The recipe in such a text, read as data; MethodError where there is none."""
    match = _RECIPE.search(text[:20_000])
    if not match:
        raise MethodError("no recipe is written there", code="bad_recipe")
    return checked(results.parse_json(match[1].encode("utf-8", "replace"), "the recipe", max_depth=4))


def _drawn(gene: str, rng: Rng) -> Any:
    if gene in NUMBERS:
        return NUMBERS[gene].draw(rng)
    names = list(STEPS[gene])
    return names[int(rng.integers(len(names)))]


def _set(recipe: Recipe, gene: str, value: Any, rng: Rng) -> None:
    """A gene, and for a step fresh parameters."""
    recipe[gene] = value
    if gene in STEPS:
        recipe[f"{gene}_params"] = {name: kind.draw(rng) for name, kind in STEPS[gene][value].items()}


def _copy(recipe: Recipe) -> Recipe:
    return {k: dict(v) if isinstance(v, dict) else v for k, v in recipe.items()}
