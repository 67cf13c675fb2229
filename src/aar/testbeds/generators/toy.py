"""A testbed for tests and quick demos: which of two sentences says something kind? Learnable from single words.

Knows no split, id or label; a group is one person, a cell a day and a place, and places are held out for `ood`.
"""

from __future__ import annotations

import numpy as np

from aar.testbeds.generators.item import Item, generators

KIND = ("helped", "thanked", "praised", "hugged", "welcomed", "cheered", "comforted", "greeted")
UNKIND = ("insulted", "mocked", "ignored", "scolded", "tricked", "blamed", "shoved", "teased")
WHO = ("the baker", "a neighbour", "the new pupil", "an old friend", "the driver", "a stranger", "the nurse")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
PLACES = ("at the market", "in the library", "on the bus", "at school", "in the park", "at the station")
UNSEEN_PLACES = ("on the ferry", "in the museum")
NAMES = ("Ada", "Bo", "Cleo", "Dov", "Ema", "Finn", "Gia", "Hal", "Ida", "Jon")


@generators.register("toy")
def generate(rng: np.random.Generator, n: int, n_ood: int) -> list[Item]:
    """n items at known places and n_ood at places that training never shows."""
    numbers = rng.permutation(n + n_ood)  # the number in a person's name must not tell who is `ood`
    return [_item(rng, int(number), i >= n) for i, number in enumerate(numbers)]


def _item(rng: np.random.Generator, number: int, ood: bool) -> Item:
    day, place = str(rng.choice(DAYS)), str(rng.choice(UNSEEN_PLACES if ood else PLACES))
    person = f"{rng.choice(NAMES)} {number}"
    easy = bool(rng.random() < 0.7)

    def sentence(verbs: tuple[str, ...]) -> str:
        told = f"{person} {rng.choice(verbs)} {rng.choice(WHO)} {place}"
        return f"{told} on {day}." if easy else f"They say that {told}, but nobody saw it on {day}."

    return Item(
        prompt=f"What did {person} do that was kind?",
        right=sentence(KIND),
        wrong=sentence(UNKIND),
        group=person,
        cell=f"{day} {place}",
        subset="plain" if easy else "hearsay",
        difficulty="easy" if easy else "hard",
        ood=ood,
    )
