"""Engines of generation: vLLM is asked in its own terms, and missed with a word on how to get it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from aar.errors import InputError, ProviderDown
from aar.models import sampling
from aar.models.frozen import FrozenLM
from aar.models.tuned.fakes import tiny_qwen3


@pytest.fixture
def lm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FrozenLM:
    monkeypatch.setenv("AAR_ENGINE", "vllm")
    sampling._vllm.cache_clear()
    return FrozenLM("tiny", tiny_qwen3(tmp_path))


def test_without_vllm_it_says_what_to_install(lm: FrozenLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(ProviderDown, match="not installed") as caught:
        lm.generate(["a"])
    assert "aar-lab[vllm]" in caught.value.hint


def test_an_unknown_engine_is_refused(lm: FrozenLM) -> None:
    lm.engine = "steam"
    with pytest.raises(InputError, match="steam") as caught:
        lm.generate(["a"])
    assert "transformers, vllm" in caught.value.hint


def test_vllm_gets_tokens_and_rules(lm: FrozenLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """vLLM needs a GPU, so this stands in for its interface (LLM.generate of token prompts): what we pass, what we read."""
    asked: list[Any] = []

    class LLM:
        def __init__(self, **how: Any) -> None:
            asked.append(how)

        def generate(self, prompts: list[dict[str, list[int]]], rules: Any, use_tqdm: bool) -> list[Any]:
            asked.append((prompts, rules))
            return [SimpleNamespace(outputs=[SimpleNamespace(text=f"s{i}") for i in range(rules.n)]) for _ in prompts]

    stand_in = ModuleType("vllm")
    stand_in.LLM, stand_in.SamplingParams = LLM, lambda **rules: SimpleNamespace(**rules)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vllm", stand_in)
    assert lm.generate(["ab", "c"], n=2, temperature=0.5, max_tokens=7, seed=3) == [["s0", "s1"]] * 2
    how, (prompts, rules) = asked
    assert (how["model"], how["trust_remote_code"]) == (str(lm.folder), False)
    assert [p["prompt_token_ids"] for p in prompts] == lm.encode(["ab", "c"])
    assert (rules.temperature, rules.max_tokens, rules.seed) == (0.5, 7, 3)
