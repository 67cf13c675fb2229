"""Entity sets. Two worlds share no name and no item; some worlds are held out of training altogether."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class World:
    """names: people; items: plural nouns that can be counted, bought, packed and shared."""

    names: tuple[str, ...]
    items: tuple[str, ...]

    def cast(self, rng: np.random.Generator) -> dict[str, str]:
        """Two people A, B and two kinds of thing x, y, all different: the words a template's braces are filled with."""
        first, second = rng.permutation(len(self.names))[:2]
        one, other = rng.permutation(len(self.items))[:2]
        return {
            "A": self.names[first],
            "B": self.names[second],
            "x": self.items[one],
            "y": self.items[other],
        }


def _world(names: str, items: str) -> World:
    return World(tuple(names.split()), tuple(items.split()))


WORLDS: tuple[World, ...] = (
    _world("Mia Tom Nora Paul", "pens books rulers stickers"),
    _world("Anna Ben Clara David", "apples pears plums lemons"),
    _world("Omar Leila Sami Dina", "plates cups forks bowls"),
    _world("Jack Emma Lucas Ruby", "balls kites bats drums"),
    _world("Ivan Olga Boris Vera", "roses tulips bulbs ferns"),
    _world("Kenji Yuki Hana Sora", "tiles bricks planks nails"),
    _world("Maria Jose Elena Pablo", "cakes buns pies rolls"),
    _world("Asha Ravi Priya Arun", "shirts socks caps belts"),
    _world("Liam Zoe Owen Grace", "lamps chairs vases clocks"),
)

HELD_OUT_WORLDS: tuple[World, ...] = (
    _world("Femi Ada Kofi Ama", "beads rings coins shells"),
    _world("Lars Ingrid Erik Freya", "candles jars boxes bags"),
    _world("Hugo Alice Louis Camille", "cards dice puzzles toys"),
)
