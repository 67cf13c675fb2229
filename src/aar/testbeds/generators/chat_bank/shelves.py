"""Deal the rows of every bank onto shelves, so that an entity of one shelf stands on no other.

A shelf is the cell of its items: what is trained on and what is tested on are different shelves. Only the fields that
name an entity count; a continent, a colour or a unit is an answer that many rows share.
"""

from __future__ import annotations

import numpy as np

from aar.testbeds.generators.chat_bank import facts, scenes
from aar.testbeds.generators.chat_bank.twin import Row

Shelf = dict[str, list[Row]]

BANKS: dict[str, tuple[list[Row], tuple[int, ...]]] = {
    "measures": (facts.MEASURES, (0,)),
    "words": (facts.WORDS, (0, 1, 2, 3)),
    "countries": (facts.COUNTRIES, (0, 1)),
    "opposites": (facts.OPPOSITES, (0, 1)),
    "colours": (facts.COLOURS, (0,)),
    "things": (facts.THINGS, (0,)),
    "crafts": (facts.CRAFTS, (0, 1)),
    "verbs": (scenes.verbs, (0, 1)),
    "topics": (scenes.topics, (0, 1)),
    "objects": ([(thing,) for thing in scenes.objects], (0,)),
    "towns": ([(town,) for town in scenes.towns], (0,)),
    "people": (scenes.people, (0,)),
}
"""bank -> (rows, the fields that name an entity)"""


def deal(rng: np.random.Generator, count: int) -> list[Shelf]:
    """`count` shelves with rows of every bank, evenly; a row that would join two shelves is left out."""
    shelves: list[Shelf] = [{bank: [] for bank in BANKS} for _ in range(count)]
    home: dict[str, int] = {}
    for bank, (rows, fields) in BANKS.items():
        for i in rng.permutation(len(rows)):
            entities = {rows[i][f].lower() for f in fields}
            homes = {home[e] for e in entities if e in home}
            if len(homes) > 1:
                continue
            emptiest = min(range(count), key=lambda s: len(shelves[s][bank]))
            place = homes.pop() if homes else emptiest
            shelves[place][bank].append(rows[i])
            home.update(dict.fromkeys(entities, place))
    return shelves
