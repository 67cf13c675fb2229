"""Log-probabilities of completions under a frozen language model, few logits computed and nothing read twice.

Prompt and completion are tokenised apart, so that the prompt's tokens do not depend on the completion. Logits are computed
at the completion's positions alone; completions of one token share one forward pass, and what all prompts begin with
(demonstrations) is read once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np

from aar.errors import MethodError
from aar.models.packing import Pack, by_length, common

if TYPE_CHECKING:
    import torch

    from aar.models.frozen import FrozenLM

BEGINNING = 32  # tokens that prompts must have in common before they are read apart from the rest
AT_ONCE = 128  # positions whose next token is scored together: the unembedding is read from memory once for all
Unembed = Callable[["torch.Tensor"], "torch.Tensor"]
Wanted = list[tuple[int, list[int]]]  # (place in the answer, completion)
Jobs = dict[tuple[int, ...], Wanted]  # what the model reads -> what is wanted at its end


def score(lm: FrozenLM, prompts: Sequence[str], completions: Sequence[Sequence[str]], tokens: int) -> np.ndarray:
    """f32 [n, k]: log-probability of each of k completions, summed over its tokens, given its prompt. `tokens`: of a batch."""
    import torch

    k = len(completions[0]) if completions else 0
    if len(prompts) != len(completions) or any(len(c) != k for c in completions):
        raise MethodError("score() needs one list of completions per prompt, all of the same length")
    if not k:
        return np.empty((len(prompts), 0), dtype=np.float32)
    flat = lm.tokenizer([c for row in completions for c in row], add_special_tokens=False)["input_ids"]
    if any(not 0 < len(c) <= lm.context for c in flat):
        raise MethodError(f"a completion must have 1 to {lm.context} tokens", hint="give each some text")
    starts = lm.encode(prompts)
    jobs: Jobs = {}
    for place, completion in enumerate(flat):
        read = tuple((starts[place // k] + completion[:-1])[-lm.context :])
        jobs.setdefault(read, []).append((place, completion))
    out = np.zeros(len(prompts) * k, dtype=np.float32)
    with torch.inference_mode():
        unembed = _unembedding(lm)
        shared, cache = _beginning(lm, jobs)
        packs, wanted = lm.pack([read[shared:] for read in jobs]), list(jobs.values())
        for some in by_length(packs, tokens):
            _batch(lm, unembed, [packs[i] for i in some], wanted, out, shared, cache)
    return out.reshape(len(prompts), k)


def _beginning(lm: FrozenLM, jobs: Jobs) -> tuple[int, Any]:
    """(tokens that all of them begin with, keys and values of these); 0 where that is not worth a pass."""
    import torch

    room = min(len(read) - max(len(c) for _, c in wanted) for read, wanted in jobs.items())
    shared = min(room, common(min(jobs), max(jobs)))
    if not lm.shares or len(jobs) < 2 or shared < BEGINNING:
        return 0, None
    tokens = torch.tensor([next(iter(jobs))[:shared]], device=lm.device)
    return shared, lm.body(input_ids=tokens, use_cache=True).past_key_values


def _batch(
    lm: FrozenLM,
    unembed: Unembed,
    batch: Sequence[Pack],
    wanted: Sequence[Wanted],
    out: np.ndarray,
    shared: int,
    cache: Any,
) -> None:
    from torch.nn.functional import pad

    inputs = lm.inputs(batch, lm.members(batch))
    if shared:
        cache = deepcopy(cache)  # a pass adds its own keys and values to what it is given
        cache.batch_repeat_interleave(len(batch))
        inputs["past_key_values"], inputs["position_ids"] = cache, inputs["position_ids"] + shared
        inputs["attention_mask"] = pad(inputs["attention_mask"], (shared, 0))  # all may attend to the beginning
    states = lm.body(**inputs).last_hidden_state
    asked = [  # (row of the batch, position, the token that comes next there, whose it is)
        (row, at, token, place)
        for row, p in enumerate(batch)
        for text, path in zip(p.texts, p.paths, strict=True)
        for place, completion in wanted[text]
        for at, token in zip(path[-len(completion) :], completion, strict=True)
    ]
    for start in range(0, len(asked), AT_ONCE):
        rows, at, tokens, places = map(list, zip(*asked[start : start + AT_ONCE], strict=True))
        logp = unembed(states[rows, at].float()).log_softmax(-1)
        np.add.at(out, places, logp[range(len(tokens)), tokens].cpu().numpy())


def _unembedding(lm: FrozenLM) -> Unembed:
    """States f32 [n, d] -> logits f32 [n, vocabulary]. Not in bfloat16, whose logits come in steps of an eighth: as
    large as what tells two answers apart."""
    from torch.nn.functional import linear

    head = lm.model.get_output_embeddings()
    weight, bias = head.weight.float(), None if head.bias is None else head.bias.float()
    return lambda states: linear(states, weight, bias)
