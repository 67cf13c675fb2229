"""Build a testbed from a registered generator: draw items with the lab secret, split, assign sides, seal.

The same secret and sizes give the same bytes; another lab's secret gives other rows, ids, splits and sides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aar.errors import Conflict, LabError
from aar.settings import LabFolder
from aar.testbeds.generators.item import Generate, Item, generators
from aar.testbeds.manifest import check, list_testbeds, read_manifest
from aar.testbeds.rows import Example, Split
from aar.testbeds.sealing import seal
from aar.testbeds.secret import keyed_id, keyed_rng, lab_secret
from aar.testbeds.split import Sizes, TooFewItems, balanced_sides, split_items, without_repeats
from aar.types import Pair

# Cells are whole templates or entity sets, so the two sides of the cut come out uneven: draw more than needed.
SURPLUS = (1.4, 2.0, 4.0)


def build(lab: LabFolder, name: str, sizes: Sizes | None = None, force: bool = False) -> bool:
    """Build and seal the testbed of generator `name`; False where it is there and intact, so nothing was done."""
    generate = generators.get(name)
    sizes = sizes or Sizes()
    source = {"by": "generator", "generator": name, "sizes": sizes.as_dict()}
    if not force and _is_built(lab, name, source):
        return False
    examples = draw_examples(generate, lab_secret(lab), name, sizes)
    seal(lab, name, examples, source, force=True)
    return True


def draw_examples(generate: Generate, secret: bytes, name: str, sizes: Sizes) -> list[Example]:
    """The rows of all splits, without writing anything."""
    splits = _fill(generate, secret, name, sizes)
    return [
        _example(item, side, split, keyed_id(secret, "row", name, split, number))
        for split, items in splits.items()
        for number, (item, side) in enumerate(zip(items, _sides(items, secret, name, split), strict=True))
    ]


def _fill(generate: Generate, secret: bytes, name: str, sizes: Sizes) -> dict[Split, list[Item]]:
    for surplus in SURPLUS:
        items = generate(
            keyed_rng(secret, "items", name), round(sizes.in_distribution * surplus), round(sizes.ood * surplus)
        )
        try:
            return split_items(without_repeats(items), sizes, keyed_rng(secret, "splits", name))
        except TooFewItems as error:
            short = error
    raise LabError(
        f"generator {name!r} cannot fill the splits: {short}",
        code="too_few_items",
        hint="ask for smaller sizes, or give the generator more templates, entities or kinds",
    )


def _sides(items: Sequence[Item], secret: bytes, name: str, split: Split) -> list[int]:
    return balanced_sides([item.subset for item in items], keyed_rng(secret, "sides", name, split))


def _example(item: Item, side: int, split: Split, id_: str) -> Example:
    first, second = (item.wrong, item.right) if side else (item.right, item.wrong)
    pair = Pair(item.prompt, first, second)
    return Example("pair", pair, side, split, item.subset, item.difficulty, item.group, id_)


def _is_built(lab: LabFolder, name: str, source: Mapping[str, object]) -> bool:
    """True: this very testbed is there, intact. A damaged one of the same source may be rebuilt; another may not."""
    if name not in list_testbeds(lab):
        return False
    there = read_manifest(lab, name)
    if there.source != source:
        raise Conflict(
            f"testbed {name!r} is there, made from another source: {there.source}",
            hint="--force replaces it; to keep both, use another --lab",
        )
    return not check(lab, name)
