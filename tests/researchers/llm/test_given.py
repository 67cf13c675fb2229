"""What a researcher who thinks is told before it begins."""

from __future__ import annotations

from typing import Any

from aar.researchers.grants import Grants
from aar.researchers.llm import given


def test_it_is_told_the_deadline_of_its_study(world: Any) -> None:
    """A study that grants its trials more time says so; the words are filled in once."""
    who = world.assignment("ada", "inspect", grants=Grants(trial_s=7200.0))
    bench = world.bench(who)
    assert bench.deadline_s == 7200
    assert "A method has 7200 seconds" in given.told(bench)["task"]
    bench.close()
