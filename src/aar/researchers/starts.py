"""Directions: nine vague starting points and `none`, one file each in `directions/`.

A file is front matter (`start:` one JSON object, gene -> values to choose among) and at most three sentences. A direction
biases where an arm starts; it binds nobody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aar.errors import NotFound
from aar.researchers.base import Assignment

FOLDER = Path(__file__).parent / "directions"


@dataclass(frozen=True)
class Direction:
    """`family`: gene of `space` -> the values that a start has; {} leaves everything open."""

    name: str
    text: str
    family: Mapping[str, list[Any]]


def names() -> list[str]:
    """All directions, `none` last."""
    return sorted((path.stem for path in FOLDER.glob("*.md")), key=lambda name: (name == "none", name))


def of(assignment: Assignment) -> Direction:
    """Own words leave everything open to an arm that draws."""
    if assignment.own_words:
        return Direction(assignment.direction, assignment.own_words, {})
    return direction(assignment.direction)


def direction(name: str) -> Direction:
    path = FOLDER / f"{name}.md"
    if name not in names():
        raise NotFound(f"no direction is called {name[:60]!r}", hint=f"known: {', '.join(names())}")
    _, front, text = path.read_text().split("---\n", 2)
    return Direction(name, text.strip(), json.loads(front.removeprefix("start:")))
