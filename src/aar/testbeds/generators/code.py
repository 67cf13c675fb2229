"""Testbed `code`: a correct Python function against a mutant of it, which one does what the task says?

The originals come from a bank; every mutant was executed at build time and returned a wrong value on some input, so
none is equivalent. Both are unparsed from syntax trees, so formatting tells nothing; names are drawn per variant.
Out of distribution: function families and a kind of mutation that the other rows do not have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aar.testbeds.generators.code_bank import Template, templates
from aar.testbeds.generators.item import Item, generators
from aar.testbeds.generators.mutants import renaming
from aar.testbeds.generators.mutants.balance import Balance, directions
from aar.testbeds.generators.mutants.killing import Fate, Job, execute
from aar.testbeds.generators.mutants.operators import Mutant, mutants

UNSEEN_FAMILIES = ("dates", "grids")
UNSEEN_KINDS = ("order", "swapped operands")
TESTS = 48
LEAST_WRONG, MOST_ERRORS = 0.1, 0.5
"""Shares of tests: a mutant must return a wrong value this often, and may fail outright at most so often."""
ROWS_PER_VARIANT = 1


@dataclass(frozen=True)
class Killed:
    """A mutant that execution told from its original. subtle: it is right on most inputs."""

    mutant: Mutant
    subtle: bool
    signs: dict[str, float]


@generators.register("code")
def generate(rng: np.random.Generator, n: int, n_ood: int) -> list[Item]:
    """n pairs from the training families and n_ood from the held-out ones, half of these of a held-out kind."""
    bank = templates()
    killed = kill(rng, bank)
    seen = {t: [k for k in ks if k.mutant.kind not in UNSEEN_KINDS] for t, ks in killed.items()}
    unseen = {t: [k for k in ks if k.mutant.kind in UNSEEN_KINDS] for t, ks in killed.items()}
    home = [t for t in bank if t.family not in UNSEEN_FAMILIES]
    away = [t for t in bank if t.family in UNSEEN_FAMILIES]
    return [
        *draw(rng, {t: seen[t] for t in home}, n, ood=False),
        *draw(rng, {t: seen[t] for t in away}, n_ood - n_ood // 2, ood=True),
        *draw(rng, {t: unseen[t] for t in away}, n_ood // 2, ood=True, prefix="unseen kind "),
    ]


def kill(rng: np.random.Generator, bank: Sequence[Template]) -> dict[Template, list[Killed]]:
    """Execute all mutants of the bank and keep those that are wrong often enough without merely crashing."""
    candidates = [mutants(template.source) for template in bank]
    jobs = [Job(t.source, [m.source for m in ms], inputs(rng, t)) for t, ms in zip(bank, candidates, strict=True)]
    kept: dict[Template, list[Killed]] = {template: [] for template in bank}
    for (j, m), fate in sorted(execute(jobs).items()):
        if is_killed(fate):
            mutant, subtle = candidates[j][m], fate.wrong + fate.errors < fate.tests / 2
            kept[bank[j]].append(Killed(mutant, subtle, directions(bank[j].source, mutant.source)))
    return kept


def is_killed(fate: Fate) -> bool:
    enough = fate.wrong >= max(1, LEAST_WRONG * fate.tests)
    return enough and fate.errors <= MOST_ERRORS * fate.tests


def inputs(rng: np.random.Generator, template: Template) -> list[tuple[object, ...]]:
    """Distinct argument tuples from the template's pools, all of them or a sample."""
    sizes = [len(pool) for pool in template.inputs]
    total = int(np.prod(sizes))
    picks = rng.permutation(total)[:TESTS] if total > TESTS else np.arange(total)
    places = np.stack(np.unravel_index(picks, sizes), axis=1)
    return [tuple(pool[i] for pool, i in zip(template.inputs, row, strict=True)) for row in places]


def draw(
    rng: np.random.Generator, killed: dict[Template, list[Killed]], n: int, *, ood: bool, prefix: str = ""
) -> list[Item]:
    """n items, spread evenly over templates; within each the mutant that keeps the surface balanced."""
    left: dict[Template, list[Killed]] = {}
    balance, items, used = Balance(), list[Item](), Counter[str]()
    names: dict[str, dict[str, str]] = {}
    while len(items) < n:
        if not any(left.values()):  # the first round, or all mutants used: once more, as new variants
            left = {template: list(ks) for template, ks in killed.items() if ks}
            used = Counter({name: -(-rows // ROWS_PER_VARIANT) * ROWS_PER_VARIANT for name, rows in used.items()})
        ready = [template for template, ks in left.items() if ks]
        for i in rng.permutation(len(ready))[: n - len(items)]:
            template, ks = ready[i], left[ready[i]]
            chosen = ks.pop(balance.choose(rng, [(k.mutant.kind, k.signs) for k in ks]))
            group = f"{template.name}/{prefix}{used[template.name] // ROWS_PER_VARIANT}"
            used[template.name] += 1
            if group not in names:
                names[group] = renaming.draw(rng, template.source)
            items.append(_item(template, chosen, names[group], group, ood))
    return items


def _item(template: Template, killed: Killed, names: dict[str, str], group: str, ood: bool) -> Item:
    return Item(
        prompt=renaming.rename_task(names, template.task, template.source),
        right=renaming.rename_code(names, template.source),
        wrong=renaming.rename_code(names, killed.mutant.source),
        group=group,
        cell=template.name,
        subset=killed.mutant.kind,
        difficulty="subtle" if killed.subtle else "plain",
        ood=ood,
    )
