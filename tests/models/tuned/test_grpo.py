"""GRPO on a tiny model: it writes more of what is rewarded, the same twice, and the student itself stays as it was."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from aar.errors import Unsupported
from aar.models.student import HeadStudent
from aar.models.toy import ArrayStore
from aar.models.tuned.fakes import tiny_qwen3
from aar.models.tuned.grpo import Grpo
from aar.models.tuned.student import TunedStudent

PROMPTS = ["one", "two", "three", "four"]


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> TunedStudent:
    folder: Path = tiny_qwen3(tmp_path_factory.mktemp("tiny"), spread=0.2)
    return TunedStudent(HeadStudent(ArrayStore(16), "tiny", "pair", 1, folder=folder))


def plain(_: Sequence[int], texts: Sequence[str]) -> list[float]:
    """Share of ASCII characters."""
    return [sum(c.isascii() for c in t) / max(1, len(t)) for t in texts]


def test_rewarded_writing_becomes_more_likely(student: TunedStudent) -> None:
    """In its samples after training and in what the log of rewards says; the frozen student writes as before."""
    pytest.importorskip("trl", reason="pip install 'aar-lab[rl]'")
    how = (16, 1.0, 8, 1)
    before = student.generate(PROMPTS, *how)
    writer = student.reinforce(PROMPTS, plain, Grpo(steps=12, lr=1e-2, max_tokens=8))
    wrote = [np.mean([plain([], some) for some in texts]) for texts in (before, writer.generate(PROMPTS, *how))]
    assert wrote[1] > wrote[0] + 0.08
    assert np.mean(writer.rewards[-3:]) > np.mean(writer.rewards[:3]) + 0.04
    assert student.generate(PROMPTS, *how) == before


def test_a_reward_hears_which_prompt_it_was_and_the_seed_decides(student: TunedStudent) -> None:
    """The same twice, another with another seed; every prompt's samples are rewarded together."""
    pytest.importorskip("trl", reason="pip install 'aar-lab[rl]'")
    heard: list[list[int]] = []

    def reward(index: Sequence[int], texts: Sequence[str]) -> list[float]:
        heard.append(list(index))
        return plain(index, texts)

    rules = Grpo(steps=1, group=4, batch=16, max_tokens=4)
    same, again, other = (student.reinforce(PROMPTS, reward, rules, seed).rewards for seed in (0, 0, 1))
    assert same == again != other
    assert all(sorted(h) == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4 for h in heard)


def test_without_trl_it_says_what_to_install(student: TunedStudent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "trl", None)
    with pytest.raises(Unsupported) as missing:
        student.reinforce(PROMPTS, plain, Grpo())
    assert "aar-lab[rl]" in missing.value.hint
