"""Chat preference pairs: a request and two replies, of which one does what was asked.

Each question comes with a mirror question to which the other reply is the right one, so no feature of a reply alone
carries the label, and a checker that knows the facts decides both. Facts, reading and form are mixed over some twenty-five
kinds. A cell is a shelf of entities (people, countries, topics...) that share nothing with other shelves; out of
distribution means shelves, phrasings and, for every fourth question, kinds that training never shows.
"""

from __future__ import annotations

import numpy as np

from aar.errors import LabError
from aar.testbeds.generators.chat_bank import fact_kinds, reading_kinds, style_kinds  # noqa: F401 - they register kinds
from aar.testbeds.generators.chat_bank.shelves import Shelf, deal
from aar.testbeds.generators.chat_bank.twin import HELD_OUT_KINDS, KINDS, Draw, OutOfRows, Twin
from aar.testbeds.generators.item import Item, generators

SHELVES, SHELVES_OOD = 20, 4
UNSEEN_KINDS = 0.25  # share of out-of-distribution questions; more of them and even a student taught by gold is lost
TRIES_PER_TWIN = 200
OPENINGS = ("", "", "", "Hi. ", "Hello! ", "Quick one: ", "Please help. ", "Next: ", "Another one. ", "Good morning. ")


@generators.register("chat")
def generate(rng: np.random.Generator, n: int, n_ood: int) -> list[Item]:
    """n in-distribution and n_ood held-out items; the two of a mirrored pair share a group."""
    shelves = deal(rng, SHELVES + SHELVES_OOD)
    return _items(rng, shelves[:SHELVES], n, "shelf", False) + _items(rng, shelves[SHELVES:], n_ood, "far", True)


def _items(rng: np.random.Generator, shelves: list[Shelf], n: int, prefix: str, ood: bool) -> list[Item]:
    items: list[Item] = []
    seen: set[str] = set()
    while len(items) < n:
        number = (len(items) // 2) % len(shelves)
        subset, twin = _new_twin(rng, shelves[number], ood, seen)
        group = f"{prefix}-{len(items) // 2:05d}"
        for i in (0, 1):
            right, wrong = twin.responses[i], twin.responses[1 - i]
            items.append(Item(twin.prompts[i], right, wrong, group, f"{prefix}-{number:02d}", subset, ood=ood))
    return items[:n]


def _new_twin(rng: np.random.Generator, shelf: Shelf, ood: bool, seen: set[str]) -> tuple[str, Twin]:
    for _ in range(TRIES_PER_TWIN):
        kinds = HELD_OUT_KINDS if ood and rng.random() < UNSEEN_KINDS else KINDS
        subset = sorted(kinds)[int(rng.integers(len(kinds)))]
        try:
            twin = kinds[subset](Draw(rng, shelf, ood)).after(OPENINGS[int(rng.integers(len(OPENINGS)))])
        except OutOfRows:
            continue
        if not twin.sound():
            raise LabError(f"chat kind {subset!r} contradicts its own checker", code="bad_generator", hint=repr(twin))
        if seen.isdisjoint(twin.prompts):
            seen.update(twin.prompts)
            return subset, twin
    raise LabError("the chat banks hold no more new questions", code="bank_exhausted", hint="ask for fewer items")
