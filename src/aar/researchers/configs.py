"""What an arm may try: a recipe (`space`) or a whole method of the library (`wholes`). Both are plain data, one dict each,
written into a `method.py` and read from others' as data.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from aar.researchers import space, wholes
from aar.researchers.space import Rng, canonical

__all__ = ["canonical", "checked", "cross", "draw", "in_words", "is_whole", "mutate", "read", "source"]

Config = dict[str, Any]
WHOLE = 0.3  # of what is drawn


def is_whole(config: Config) -> bool:
    return "method" in config


def draw(rng: Rng, offers: Collection[str], family: Mapping[str, Sequence[Any]] | None = None) -> Config:
    """`family` is of recipes, so a direction that has one gives recipes alone."""
    if not family and rng.random() < WHOLE:
        return wholes.draw(rng, offers)
    return space.draw(rng, family)


def mutate(config: Config, rng: Rng, offers: Collection[str]) -> Config:
    return wholes.mutate(config, rng, offers) if is_whole(config) else space.mutate(config, rng)


def cross(one: Config, other: Config, rng: Rng) -> Config:
    """A whole method has no parts to mix: either parent."""
    if is_whole(one) or is_whole(other):
        return one if rng.random() < 0.5 else other
    return space.cross(one, other, rng)


def checked(raw: Any) -> Config:
    """From anywhere; MethodError unless it is one."""
    return wholes.checked(raw) if isinstance(raw, dict) and "method" in raw else space.checked(raw)


def source(config: Config, why: str) -> str:
    """The text of a `method.py`; `why` becomes its first line."""
    return wholes.source(config, space.plain(why)) if is_whole(config) else space.source(config, why)


def read(text: str) -> Config:
    """The configuration in such a text; MethodError where there is none."""
    return wholes.read(text) or space.read(text)


def in_words(config: Config) -> str:
    if is_whole(config):
        return " ".join([config["method"], *(f"{k}={v}" for k, v in sorted(config["params"].items()))])
    return f"{config['label']} labels, {config['select']} rows, {config['loss']} at layer {config['layer']}"
