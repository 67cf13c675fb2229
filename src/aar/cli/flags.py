"""What flags of several commands say: seeds, hyper-parameters, sweeps."""

from __future__ import annotations

import itertools
import json as jsonlib
from typing import Any

from aar.errors import InputError


def parse_seeds(text: str) -> list[int]:
    """`0-4`, `0,3,7` or a mix, as a list."""
    try:
        parts = [part.split("-") for part in text.split(",")]
        seeds = [s for p in parts for s in (range(int(p[0]), int(p[-1]) + 1))]
    except ValueError:
        seeds = []
    if not seeds:
        raise InputError(f"{text!r} names no seeds", code="bad_seeds", hint="for example: --seeds 0-4 or --seeds 0,3,7")
    return seeds


def parse_params(pairs: list[str]) -> dict[str, Any]:
    """`name=value` flags; values are read as JSON where they are JSON (numbers, true, lists), else as text."""
    params = {}
    for pair in pairs:
        name, eq, value = pair.partition("=")
        if not eq:
            raise InputError(f"{pair!r} is not NAME=VALUE", code="bad_parameter", hint="for example: -p threshold=0.8")
        try:
            params[name] = jsonlib.loads(value)
        except ValueError:
            params[name] = value
    return params


def parse_sweep(pairs: list[str]) -> list[dict[str, Any]]:
    """`name=1,2,3` flags -> every combination of their values; one empty setting where there are none. A value that holds a
    comma itself is written as a JSON list of values."""
    swept = []
    for name, value in ((p.partition("=")[0], parse_params([p])[p.partition("=")[0]]) for p in pairs):
        values = (
            value if isinstance(value, list) else [parse_params([f"{name}={v}"])[name] for v in str(value).split(",")]
        )
        swept.append([(name, v) for v in values])
    return [dict(setting) for setting in itertools.product(*swept)]
