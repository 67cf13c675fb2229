"""Budgets that change under a researcher: what happened stays as it was, however often it is replayed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aar.errors import BudgetSpent
from aar.researchers.base import Llm, Retuned


def test_a_refusal_stays_one_under_a_larger_budget(world: Any) -> None:
    """What was refused is refused again on replay; what comes after it has the new budget."""
    who, vector = world.assignment(evaluations=1), {f"test{i}": 1.0 for i in range(40)}

    def acts(bench: Any) -> list[Any]:
        first = bench.evaluate(vector)
        with pytest.raises(BudgetSpent) as refused:
            bench.evaluate({**vector, "test0": 0.0})
        return [first, refused.value.code, bench.budget()]

    bench = world.bench(who)
    before = acts(bench)
    assert before[1:] == ["assignment_spent", replace(before[2], evaluations=0)]
    bench.close()
    again = world.bench(replace(who, evaluations=3))
    assert acts(again) == before
    assert again.budget().evaluations == 2
    again.evaluate({**vector, "test1": 0.0})
    assert again.budget().evaluations == 1


def test_a_smaller_budget_binds_at_once_and_changes_nothing_done(world: Any) -> None:
    """Acts beyond it that were paid are replayed; the next one is refused, and nothing is owed."""
    source, who = "def run(task): ...", world.assignment(trials=6)
    bench = world.bench(who)
    for name in ("a", "b"):
        bench.try_method(bench.write_method(name, source))
    bench.retune(replace(who, trials=1))
    assert bench.budget().trials == 0
    bench.close()
    again = world.bench(replace(who, trials=1))
    for name in ("a", "b"):
        again.try_method(again.write_method(name, source))
    assert again.budget().trials == 0
    with pytest.raises(BudgetSpent):
        again.try_method(again.write_method("c", source))


def test_another_model_begins_anew(world: Any) -> None:
    """The bench ends at the next act, which is not lost; caps alone change under its feet."""
    who = world.assignment(llm=Llm(model="a/b"))
    bench = world.bench(who)
    bench.retune(replace(who, llm=Llm(model="a/b", usd=9.0)))
    assert bench.budget().trials == 6
    bench.retune(replace(who, llm=Llm(model="a/c", usd=9.0)))
    with pytest.raises(Retuned):
        bench.budget()
    bench.close()
    assert world.bench(replace(who, llm=Llm(model="a/c"))).budget().trials == 6
