"""Whole methods of the library as configurations: `{"method": name, "params": {...}}`, by what their cards declare.

A parameter's range spans its default and the grid of its card, and half as far again; words, switches and "none" are
chosen among the values named there. Methods that take minutes, need what a research task does not offer, or are put together
from parts (that is what a recipe is) are left out. No method is named in here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from aar.errors import MethodError
from aar.methods import library
from aar.methods.card import Card
from aar.researchers.space import Range, Real, Rng, Whole
from aar.sandboxes import results

Pick = dict[str, Any]
EXCHANGED = 0.2
KEPT = 0.5  # chance of a parameter to keep its default when a method is drawn: defaults were chosen by somebody


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Any, ...]

    def draw(self, rng: Rng) -> Any:
        return self.values[int(rng.integers(len(self.values)))]

    def nudge(self, value: Any, rng: Rng) -> Any:
        return self.draw(rng)

    def holds(self, value: Any) -> bool:
        return any(type(value) is type(v) and value == v for v in self.values)


def _range(values: list[Any]) -> Range | Choice:
    if all(type(v) is int for v in values) and min(values) > 0:
        return Whole(max(1, min(values) // 2), max(values) * 3 // 2)
    if all(type(v) in (int, float) for v in values) and float in map(type, values) and min(values) > 0:
        low, high = min(values) / 2, max(values)
        return Real(low, min(1.5 * high, (1 + high) / 2) if high < 1 else 1.5 * high, log=True)  # a share stays one
    return Choice(tuple(dict.fromkeys(values)))


@cache
def ranges() -> Mapping[str, Mapping[str, Range | Choice]]:
    """Method -> parameter -> what it may be."""
    cards = {name: module.CARD for name, module in library.methods().items()}
    return {name: _ranges(card) for name, card in cards.items() if _is_whole(card)}


def _ranges(card: Card) -> dict[str, Range | Choice]:
    seen = {name: [card.defaults[name], *(g[name] for g in card.grid if name in g)] for name in card.defaults}
    return {name: _range(values) for name, values in seen.items()}


def _is_whole(card: Card) -> bool:
    return card.cost == "seconds" and not any(isinstance(v, dict) for v in card.defaults.values())


def known(offers: Collection[str]) -> list[str]:
    """The methods that need nothing beyond what is offered, sorted."""
    return [name for name in ranges() if set(library.card(name).inputs) <= set(offers)]


def family(pick: Pick) -> str:
    return library.card(pick["method"]).family


def draw(rng: Rng, offers: Collection[str]) -> Pick:
    names = known(offers)
    return _drawn(names[int(rng.integers(len(names)))], rng)


def _drawn(name: str, rng: Rng) -> Pick:
    defaults = library.card(name).defaults
    return {
        "method": name,
        "params": {k: defaults[k] if rng.random() < KEPT else r.draw(rng) for k, r in ranges()[name].items()},
    }


def mutate(pick: Pick, rng: Rng, offers: Collection[str]) -> Pick:
    """One parameter changed; now and then, and where there is none, another method of the family in its place."""
    params, of = dict(pick["params"]), ranges()[pick["method"]]
    if not of or rng.random() < EXCHANGED:
        kin = [name for name in known(offers) if library.card(name).family == family(pick)] or [pick["method"]]
        return _drawn(kin[int(rng.integers(len(kin)))], rng)
    name = sorted(of)[int(rng.integers(len(of)))]
    params[name] = of[name].draw(rng) if params[name] is None else of[name].nudge(params[name], rng)
    return {"method": pick["method"], "params": params}


def checked(raw: Any) -> Pick:
    """A pick from anywhere: a known method, all its parameters, each as declared. MethodError otherwise."""
    name = raw.get("method") if isinstance(raw, dict) and set(raw) == {"method", "params"} else None
    of, params = (ranges().get(name), raw["params"]) if isinstance(name, str) else (None, None)
    if of is None or not isinstance(params, dict) or set(params) != set(of):
        raise MethodError("not a method of the library with its parameters", code="bad_recipe")
    defaults = library.card(raw["method"]).defaults
    if not all(r.holds(params[k]) or params[k] == defaults[k] for k, r in of.items()):
        raise MethodError("a parameter of the method is out of its range", code="bad_recipe")
    return {"method": name, "params": dict(params)}


SOURCE = '''"""{why}"""

import json
from dataclasses import replace

from aar.methods.{name} import run as method

METHOD = json.loads("""
{pick}
""")


def run(task):
    return method(replace(task, params=METHOD["params"]))
'''
_PICK = re.compile(r'^METHOD = json\.loads\("""\n(\{.*?^\})\n"""\)$', re.DOTALL | re.MULTILINE)


def source(pick: Pick, why: str) -> str:
    """The text of a `method.py`. Names and words in it come from cards alone."""
    return SOURCE.format(why=why, name=pick["method"], pick=json.dumps(pick, indent=4, sort_keys=True))


def read(text: str) -> Pick | None:
    """The pick in such a text, read as data; None where there is none, MethodError where it is not a known one."""
    if not (match := _PICK.search(text[:20_000])):
        return None
    return checked(results.parse_json(match[1].encode("utf-8", "replace"), "the method", max_depth=4))
