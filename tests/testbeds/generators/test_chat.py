"""The chat testbed: checkers agree, mirrored replies, no giveaway in a reply, shelves that share no entity."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import numpy as np
import pytest

from aar.errors import LabError
from aar.testbeds.generators import chat
from aar.testbeds.generators.chat_bank.shelves import BANKS, deal
from aar.testbeds.generators.chat_bank.twin import HELD_OUT_KINDS, KINDS, Draw, OutOfRows, Twin, names
from aar.testbeds.generators.item import Item, generators


@pytest.fixture(scope="module")
def items() -> list[Item]:
    return generators.get("chat")(np.random.default_rng(0), 1350, 150)


def test_same_seed_gives_the_same_items_and_another_seed_others(items: list[Item]) -> None:
    """The generator's only source of chance is its rng, and it matters much."""
    again = chat.generate(np.random.default_rng(0), 1350, 150)
    other = chat.generate(np.random.default_rng(1), 1350, 150)
    assert again == items
    pairs, others = ({(i.prompt, i.right, i.wrong) for i in some} for some in (items, other))
    assert len(pairs & others) < 0.05 * len(items)


def test_counts_kinds_and_prompts(items: list[Item]) -> None:
    """As many rows as asked, at least fifteen kinds, no prompt twice."""
    assert Counter(i.ood for i in items) == {False: 1350, True: 150}
    assert len({i.subset for i in items if not i.ood}) >= 15
    assert len({i.prompt for i in items}) == len(items)


def test_an_odd_count_is_met() -> None:
    """A mirrored pair may be cut at the end, the count may not."""
    assert len(chat.generate(np.random.default_rng(0), 7, 3)) == 10


@pytest.mark.parametrize("name", sorted(KINDS) + sorted(HELD_OUT_KINDS))
def test_every_kind_satisfies_its_own_checker(name: str) -> None:
    """Right holds and wrong does not, on every shelf, with trained and held-out phrasings."""
    rng = np.random.default_rng(5)
    kind = {**KINDS, **HELD_OUT_KINDS}[name]
    made = 0
    for shelf in deal(rng, chat.SHELVES + chat.SHELVES_OOD):
        for held_out in (False, True):
            try:
                twin = kind(Draw(rng, shelf, held_out))
            except OutOfRows:
                continue
            assert twin.sound(), twin
            made += 1
    assert made >= 24


def test_a_checker_refuses_a_swapped_or_half_right_reply() -> None:
    """A reply that names both answers is no answer, and a crossed twin is unsound."""
    holds = names(("Paris", "Rome"))
    assert holds(0, "It is paris.")
    assert not any(holds(0, reply) for reply in ("Paris or Rome.", "Parisian"))
    assert not Twin(("a", "b"), ("It is Rome.", "It is Paris."), holds).sound()


def test_each_reply_is_right_once_and_wrong_once(items: list[Item]) -> None:
    """Within a group the two replies change places, so a reply alone tells nothing."""
    groups = defaultdict(list)
    for item in items:
        groups[item.group].append(item)
    for a, b in groups.values():
        assert (a.right, a.wrong) == (b.wrong, b.right)
        assert a.prompt != b.prompt
        assert a.cell == b.cell


def test_no_stump_on_the_replies_beats_chance(items: list[Item]) -> None:
    """Length, punctuation and the presence of any word tell right from wrong at most 55 times in 100."""
    stumps = [len, lambda t: len(t.split())] + [lambda t, c=c: t.count(c) for c in ".,!?'\"-"]
    words = {w for i in items for w in re.findall(r"\w+", i.right)}
    present = [lambda t, w=w: w in re.findall(r"\w+", t) for w in sorted(words)[::20]]
    for stump in stumps + present:
        signs = np.array([np.sign(float(stump(i.right)) - float(stump(i.wrong))) for i in items])
        assert abs(signs.mean()) <= 0.1


def test_shelves_share_no_entity() -> None:
    """An entity, in whatever bank, stands on one shelf only; few rows are lost to that."""
    shelves = deal(np.random.default_rng(3), 24)
    home: dict[str, set[int]] = defaultdict(set)
    for number, shelf in enumerate(shelves):
        for bank, rows in shelf.items():
            for row in rows:
                for field in BANKS[bank][1]:
                    home[row[field].lower()].add(number)
    assert max(map(len, home.values())) == 1
    assert len(home) > 900
    assert sum(len(rows) for s in shelves for rows in s.values()) > 0.97 * sum(len(rows) for rows, _ in BANKS.values())


def test_held_out_items_share_no_cell_and_no_phrasing_or_kind(items: list[Item]) -> None:
    """OOD cells are others, a quarter of the OOD rows is of unseen kinds, and no prompt has a trained phrasing."""
    far, near = [i for i in items if i.ood], [i for i in items if not i.ood]
    assert not {i.cell for i in far} & {i.cell for i in near}
    unseen = [i for i in far if i.subset in HELD_OUT_KINDS]
    assert 0.1 < len(unseen) / len(far) < 0.4
    assert not {i.subset for i in near} & set(HELD_OUT_KINDS)
    assert not any("What is the capital of" in i.prompt for i in far)


def test_rows_are_short(items: list[Item]) -> None:
    """Feature extraction is paid by the token: fewer than fifty words a text, prompt included."""
    assert max(len(f"{i.prompt} {r}".split()) for i in items for r in (i.right, i.wrong)) < 50


def test_an_exhausted_bank_says_so() -> None:
    """Asking for more than the banks hold is refused with a hint, not served with repeats."""
    with pytest.raises(LabError, match="no more new questions"):
        chat.generate(np.random.default_rng(0), 0, 20_000)
