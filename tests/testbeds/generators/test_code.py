"""The code testbed: mutants are really wrong, nothing on the surface tells them, rng decides everything."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict

import numpy as np
import pytest

from aar.testbeds.generators import code
from aar.testbeds.generators.code_bank import POOLS, templates
from aar.testbeds.generators.item import Item, generators
from aar.testbeds.generators.mutants import renaming
from aar.testbeds.generators.mutants.balance import Balance, directions
from aar.testbeds.generators.mutants.killing import Fate, Job, execute
from aar.testbeds.generators.mutants.operators import mutants

IDENTITY = "def f(n):\n    while n > 9:\n        n -= 1\n    return n"
INPUTS = [(k,) for k in range(20)]


@pytest.fixture(scope="module")
def items() -> list[Item]:
    return generators.get("code")(np.random.default_rng(0), 1350, 150)


def test_counts_and_cells(items: list[Item]) -> None:
    """As many rows as asked; many templates; held-out families and kinds appear only out of distribution."""
    home, away = [i for i in items if not i.ood], [i for i in items if i.ood]
    assert (len(home), len(away)) == (1350, 150)
    assert len({i.cell for i in home}) >= 150
    assert not {i.cell for i in home} & {i.cell for i in away}
    assert not {i.subset for i in home} & set(code.UNSEEN_KINDS)
    assert Counter(i.subset in code.UNSEEN_KINDS for i in away) == {True: 75, False: 75}


def test_a_group_is_one_question_of_one_cell(items: list[Item]) -> None:
    """Rows of a group share prompt, right response and cell, and no two have the same wrong response."""
    groups = defaultdict(list)
    for item in items:
        groups[item.group].append(item)
    assert all(len({(i.prompt, i.right, i.cell) for i in rows}) == 1 for rows in groups.values())
    assert all(len({i.wrong for i in rows}) == len(rows) <= code.ROWS_PER_VARIANT for rows in groups.values())


def test_both_responses_are_code_in_the_same_format(items: list[Item]) -> None:
    """Both parse, both are what unparsing gives, and they differ as syntax trees."""
    for item in items:
        right, wrong = ast.parse(item.right), ast.parse(item.wrong)
        assert (ast.unparse(right), ast.unparse(wrong)) == (item.right, item.wrong)
        assert ast.dump(right) != ast.dump(wrong)


def test_every_wrong_response_fails_when_executed_as_shown(items: list[Item]) -> None:
    """Executed after renaming, in a fresh process, each sampled wrong response returns a wrong value."""
    bank = {t.name: t for t in templates()}
    sample = [items[i] for i in np.random.default_rng(1).permutation(len(items))[:150]]
    inputs = [code.inputs(np.random.default_rng(2), bank[i.cell]) for i in sample]
    fates = execute([Job(i.right, [i.wrong, i.right], x) for i, x in zip(sample, inputs, strict=True)])
    # other inputs than at build time: a rare mutant may slip through these, an original never fails its own
    assert np.mean([fates[j, 0].wrong > 0 for j in range(len(sample))]) > 0.98
    assert all((fates[j, 1].wrong, fates[j, 1].errors) == (0, 0) for j in range(len(sample)))


def test_no_surface_count_tells_right_from_wrong(items: list[Item]) -> None:
    """No stump on the difference in length, or in the count of a character or a token, beats 60 %."""
    home = [i for i in items if not i.ood]
    token = re.compile(r"[A-Za-z_]\w*|\d+|[^\s\w]+")
    up, down = Counter[str](), Counter[str]()
    for item in home:
        difference = Counter(token.findall(item.wrong) + list(item.wrong))
        difference.subtract(token.findall(item.right) + list(item.right))
        difference["length"] = len(item.wrong) - len(item.right)
        up.update(name for name, count in difference.items() if count > 0)
        down.update(name for name, count in difference.items() if count < 0)
    accuracy = {name: 0.5 + abs(up[name] - down[name]) / len(home) / 2 for name in up | down}
    assert max(accuracy.values()) < 0.6


def test_rng_is_the_only_chance_and_matters() -> None:
    """The same seed gives the same items in the same order; another seed gives mostly other pairs."""
    bank = templates()[:40]
    assert _some(1, bank) == _some(1, bank)
    one, two = ({(i.right, i.wrong) for i in _some(seed, bank)} for seed in (1, 2))
    assert len(one & two) < 0.2 * len(one)


def _some(seed: int, bank: tuple[code.Template, ...]) -> list[Item]:
    rng = np.random.default_rng(seed)
    return code.draw(rng, code.kill(rng, bank), 200, ood=False)


def test_more_rows_than_mutants_come_as_new_variants() -> None:
    """When the mutants are used up they come again under other groups."""
    rng = np.random.default_rng(0)
    killed = code.kill(rng, templates()[:2])
    total = sum(map(len, killed.values()))
    items = code.draw(rng, killed, 2 * total, ood=False)
    assert len({(i.group, i.wrong) for i in items}) == 2 * total


def test_originals_return_on_their_inputs() -> None:
    """Every function of the bank has a task, known pools, and returns on most of at least five inputs."""
    bank = templates()
    assert len({t.name for t in bank}) == len(bank) >= 100
    assert all(t.task.endswith(".") and set(t.pools) <= set(POOLS) for t in bank)
    inputs = [code.inputs(np.random.default_rng(0), t) for t in bank]
    fates = execute([Job(t.source, [t.source], x) for t, x in zip(bank, inputs, strict=True)])
    poor = [t.name for j, t in enumerate(bank) if fates[j, 0].tests < max(5, len(inputs[j]) / 2)]
    assert not poor


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("run_length", ("aabbbc",), 3), ("lcm", (4, 6), 12), ("prime_factors", (60,), [2, 2, 3, 5]),
        ("to_roman", (14,), "XIV"), ("lower_bound", ([1, 3, 3, 7], 3), 1), ("median", ([4, 1, 3, 2],), 2.5),
        ("merge_spans", ([(5, 6), (1, 3), (2, 4)],), [(1, 4), (5, 6)]), ("partitions", (5, 5), 7),
        ("eval_postfix", (["5", "2", "-"],), 3), ("josephus", (5, 2), 2), ("rotate_grid", ([[1, 2], [3, 4]],), [[3, 1], [4, 2]]),
        ("minutes_to_clock", (125,), "02:05"), ("water_trapped", ([3, 1, 2],), 1), ("most_common", ([2, 2, 1],), 2),
        ("compress_runs", ("aab",), "a2b1"), ("is_leap_year", (1900,), False), ("grid_paths", (2, 2), 6),
    ],
)  # fmt: skip
def test_known_values(name: str, arguments: tuple[object, ...], value: object) -> None:
    """Some functions of the bank against values known by hand."""
    source = next(t.source for t in templates() if t.name == name)
    space: dict[str, object] = {}
    exec(source, space)
    assert space[name](*arguments) == value  # type: ignore[operator]


def test_execution_tells_equivalent_wrong_endless_and_failing_mutants_apart() -> None:
    """The four fates of a mutant; an endless loop stops by steps, and a mutant that kills its process is left out."""
    equal = IDENTITY.replace("n > 9", "n >= 10")
    wrong = IDENTITY.replace("n > 9", "n > 8")
    endless = IDENTITY.replace("n > 9", "n == n")
    failing = IDENTITY.replace("return n", "return n[0]")
    deadly = IDENTITY.replace("return n", "return len(str(9 ** 9 ** 9))")
    fates = execute([Job(IDENTITY, [equal, wrong, deadly, endless, failing], INPUTS)])
    assert fates[0, 0] == Fate(20, 0, 0)
    assert fates[0, 1] == Fate(20, 11, 0)
    assert fates[0, 3].errors > 10
    assert fates[0, 4].errors > 10
    assert (0, 2) not in fates
    assert [code.is_killed(fates[0, m]) for m in (0, 1, 3, 4)] == [False, True, False, False]


def test_operators_come_in_both_directions() -> None:
    """What a mutation adds another takes away: strict and loose comparison, plus and minus one, swapped branches."""
    for one, two in [("a < b", "a <= b"), ("a == b", "a != b"), ("x[a]", "x[a + 1]"), ("a and b", "a or b"),
                     ("min(a, b)", "max(a, b)"), ("x[1:]", "x[:]"), ("a - b", "b - a"), ("not a", "a")]:  # fmt: skip
        sources = [f"def f(a, b, x):\n    if {text}:\n        return 1\n    return 0" for text in (one, two)]
        for source, other in (sources, sources[::-1]):
            assert other in {m.source for m in mutants(source)}


def test_balance_prefers_the_mutant_that_undoes_a_drift() -> None:
    """After two longer mutants the shorter one is chosen."""
    balance, rng = Balance(), np.random.default_rng(0)
    longer, shorter = directions("a < b", "a <= b"), directions("a <= b", "a < b")
    for _ in range(2):
        balance.choose(rng, [("comparison", longer)])
    assert balance.choose(rng, [("comparison", longer), ("comparison", shorter)]) == 1


def test_renaming_keeps_quotes_attributes_and_distinct_names() -> None:
    """Names change as wholes and alike in code and task; text in quotes and attributes stay."""
    source = "def find(text, n):\n    return text.find('text') + n"
    names = {"find": "f", "text": "line", "n": "m"}
    assert renaming.rename_code(names, source) == "def f(line, m):\n    return line.find('text') + m"
    assert renaming.rename_task(names, "Find 'n' in text, n-th.", source) == "Find 'n' in line, m-th."
    for seed in range(50):
        drawn = renaming.draw(np.random.default_rng(seed), "def f(a, b, n, k, key, low, other):\n    return a + b")
        assert len(set(drawn.values())) == len(drawn)
