"""Samples of a frozen language model, by one of two engines: `transformers`, or `vllm` where a GPU and the extra are there.

The engine is the model's (`FrozenLM.engine`), by default `$AAR_ENGINE`. Each answers the same question with samples of its
own: a seed gives the same samples again with the same engine alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aar.errors import ProviderDown

if TYPE_CHECKING:
    from aar.models.frozen import FrozenLM

BATCH_SIZE = 16  # prompts that transformers continues at a time
Generate = Callable[["FrozenLM", Sequence[str], int, float, int, int], list[list[str]]]


def by_transformers(
    lm: FrozenLM, prompts: Sequence[str], n: int, temperature: float, max_tokens: int, seed: int
) -> list[list[str]]:
    import torch

    ids, out = lm.encode(prompts), [[""] * n for _ in prompts]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    how: dict[str, Any] = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0}
    how = how if temperature > 0 else {"do_sample": False}
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(seed)
        for start in range(0, len(order), BATCH_SIZE):
            index = [i for i in order[start : start + BATCH_SIZE] for _ in range(n)]
            tokens, mask = lm.padded([ids[i] for i in index], left=True)
            made = lm.model.generate(
                tokens, attention_mask=mask, max_new_tokens=max_tokens, pad_token_id=lm.filler, **how
            )
            new = lm.tokenizer.batch_decode(made[:, tokens.shape[1] :], skip_special_tokens=True)
            for place, text in enumerate(new):
                out[index[place]][place % n] = text
    return out


def by_vllm(
    lm: FrozenLM, prompts: Sequence[str], n: int, temperature: float, max_tokens: int, seed: int
) -> list[list[str]]:
    """Continuous batching does the rest: all prompts at once."""
    engine = _vllm(lm.folder)
    from vllm import SamplingParams

    rules = SamplingParams(n=n, temperature=temperature, max_tokens=max_tokens, seed=seed)
    made = engine.generate([{"prompt_token_ids": ids} for ids in lm.encode(prompts)], rules, use_tqdm=False)
    return [[sample.text for sample in answer.outputs] for answer in made]


@lru_cache(maxsize=1)  # one engine holds most of a GPU
def _vllm(folder: Path) -> Any:
    try:
        from vllm import LLM
    except ImportError:
        raise ProviderDown(
            "vLLM is asked for ($AAR_ENGINE) and not installed",
            code="not_installed",
            hint="pip install 'aar-lab[vllm]' on a machine with a GPU, or unset AAR_ENGINE",
        ) from None
    return LLM(model=str(folder), dtype="bfloat16", trust_remote_code=False)


engines: dict[str, Generate] = {"transformers": by_transformers, "vllm": by_vllm}
