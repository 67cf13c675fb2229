"""A frozen language model: hidden states, log-probabilities and samples, without gradients, in bfloat16.

Reads causal models (llama, qwen, gpt-2, ...) and encoders (BERT) from safetensors; code that comes with weights is
never run. Layer 0 is the embedding, layer l the residual stream after block l, before any final norm. A text
longer than `weights.CONTEXT` tokens (or the model's own limit) is cut at its front. Knows nothing of rows or files
of features.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from aar.errors import InputError, MethodError, Unsupported
from aar.models import weights
from aar.models.packing import BATCH, Pack, batches, common, pack
from aar.types import Ability

if TYPE_CHECKING:
    import torch

Pooling = Literal["mean", "last"]
POOLINGS: tuple[Pooling, ...] = ("mean", "last")
SHARES = ("llama", "qwen2", "qwen3", "gpt2")  # full attention by position ids alone, so that texts can be packed
BEGINNING = 32  # tokens that prompts must have in common before they are read apart from the rest


_SAFE: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}


Jobs = dict[tuple[int, ...], list[tuple[int, list[int]]]]  # what the model reads -> (place, completion)


class _Stop(Exception):
    """Leaves the forward pass once the deepest layer asked for is known."""


def load(name: str | Path, device: str | None = None) -> FrozenLM:
    """An embedded name, a local folder or a hub id, on `device` (default: a GPU when there is one).

    Cheap: the weights are read when they are first used.
    """
    return FrozenLM(str(name), weights.find(name), device)


class FrozenLM:
    """`name` as asked for, `folder` of the weights, `id` of their content, `layers` (blocks), `width` d.

    One thread at a time: the hooks that read hidden states sit on the shared model while a batch runs.
    """

    def __init__(self, name: str, folder: Path, device: str | None = None) -> None:
        self.name, self.folder, self._device = name, folder, device
        config = weights.config(folder)
        self.causal = weights.is_causal(config)
        self.shares = self.causal and config.get("model_type") in SHARES
        self.layers = int(config.get("num_hidden_layers") or config["n_layer"])
        self.width = int(config.get("hidden_size") or config["n_embd"])
        self.context = min(weights.CONTEXT, int(config.get("max_position_embeddings") or weights.CONTEXT))
        self.can: frozenset[Ability] = frozenset({"features", "score", "generate"} if self.causal else {"features"})

    @cached_property
    def device(self) -> torch.device:
        import torch

        return torch.device(self._device or ("cuda" if torch.cuda.is_available() else "cpu"))

    @cached_property
    def model(self) -> Any:
        """The transformers model, read from disk when first needed (seconds)."""
        import torch
        from transformers import AutoModel, AutoModelForCausalLM

        kind = AutoModelForCausalLM if self.causal else AutoModel
        with quiet():
            model = kind.from_pretrained(str(self.folder), dtype=torch.bfloat16, use_safetensors=True, **_SAFE)
        return model.eval().requires_grad_(False).to(self.device)

    def load(self) -> None:
        """Reads weights and tokenizer now: for those who time what comes after."""
        _ = self.model, self.tokenizer

    @cached_property
    def tokenizer(self) -> Any:
        return weights.tokenizer(self.folder)

    @cached_property
    def id(self) -> str:
        return weights.identity(self.folder)

    # -- tokens

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, at least one and at most `context`."""
        if not texts:
            return []
        ids = self.tokenizer(list(texts), truncation=True, max_length=self.context)["input_ids"]
        return [i or [self._filler] for i in ids]

    @property
    def _filler(self) -> int:
        t = self.tokenizer
        return next((i for i in (t.pad_token_id, t.eos_token_id, t.bos_token_id) if i is not None), 0)

    def _padded(self, ids: Sequence[Sequence[int]], left: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
        """Token ids [b, t] and mask [b, t]."""
        import torch

        longest = max(len(i) for i in ids)
        tokens = torch.full((len(ids), longest), self._filler, dtype=torch.long)
        mask = torch.zeros_like(tokens)
        for row, i in enumerate(ids):
            where = slice(longest - len(i), None) if left else slice(0, len(i))
            tokens[row, where], mask[row, where] = torch.tensor(i), 1
        return tokens.to(self.device), mask.to(self.device)

    # -- features

    def hidden(
        self, texts: Sequence[str], layers: Sequence[int], pooling: Pooling = "mean", tokens: int = BATCH
    ) -> np.ndarray:
        """f32 [n, len(layers), d]: hidden states at these layers, pooled over the tokens of each text.

        "mean" skips token 0 (an attention sink in causal models, [CLS] in BERT) unless it is the only one; "last"
        is the last token. The forward pass stops at the deepest layer.
        """
        out = np.empty((len(texts), len(layers), self.width), dtype=np.float32)
        for index, pooled in self.pooled(self.encode(texts), layers, (pooling,), tokens):
            out[index] = pooled[pooling]
        return out

    def pooled(
        self, ids: Sequence[Sequence[int]], layers: Sequence[int], poolings: Sequence[Pooling], tokens: int = BATCH
    ) -> Iterator[tuple[list[int], dict[Pooling, np.ndarray]]]:
        """(positions in `ids`, pooling -> f32 [b, len(layers), d]) batch by batch of at most `tokens` tokens."""
        import torch

        if deep := [x for x in layers if not 0 <= x <= self.layers]:
            raise InputError(f"{self.name} has no layer {deep[0]}", hint=f"layers are 0 (embedding) to {self.layers}")
        if odd := [p for p in poolings if p not in POOLINGS]:
            raise InputError(f"no pooling is called {odd[0]!r}", hint=f"known: {', '.join(POOLINGS)}")
        for batch in batches(self.pack(ids), tokens):
            with torch.inference_mode():
                states = self._states(batch, sorted(set(layers)), poolings)
            index = [text for p in batch for text in p.texts]
            yield index, {p: torch.stack([states[p, x] for x in layers], 1).cpu().numpy() for p in poolings}

    def pack(self, ids: Sequence[Sequence[int]]) -> list[Pack]:
        """The sequences that are read: texts that begin alike share one where the model can do that."""
        return pack(ids) if self.shares else pack(ids, limit=0)

    def _states(
        self, batch: Sequence[Pack], layers: Sequence[int], poolings: Sequence[Pooling]
    ) -> dict[tuple[Pooling, int], torch.Tensor]:
        """(pooling, layer) -> f32 [b, d], by hooks on the blocks that pool at once: no layer's states are kept."""
        import torch

        rows = torch.tensor([row for row, p in enumerate(batch) for _ in p.texts], device=self.device)  # [b]
        slots = torch.tensor([slot for p in batch for slot in range(len(p.texts))], device=self.device)  # [b]
        last = torch.tensor([path[-1] for p in batch for path in p.paths], device=self.device)  # [b]
        member = self._members(batch)  # [packs, texts, t]
        share = member.clone()
        share[:, :, 0] *= member.sum(2) == 1
        share = share / share.sum(2, keepdim=True).clamp(min=1)
        found: dict[tuple[Pooling, int], torch.Tensor] = {}

        def keep(layer: int, states: torch.Tensor) -> None:  # states [packs, t, d]
            for pooling in poolings:
                pooled = states[rows, last] if pooling == "last" else (share @ states.float())[rows, slots]
                found[pooling, layer] = pooled.float()
            if layer == layers[-1]:
                raise _Stop

        blocks = self._blocks()
        with contextlib.ExitStack() as hooks, contextlib.suppress(_Stop):
            for layer in layers:
                if layer == 0:
                    handle = blocks[0].register_forward_pre_hook(lambda _, args: keep(0, args[0]))
                else:
                    handle = blocks[layer - 1].register_forward_hook(lambda *c, at=layer: keep(at, _first(c[2])))
                hooks.callback(handle.remove)
            self._body(**self._inputs(batch, member))
        return found

    def _members(self, batch: Sequence[Pack]) -> torch.Tensor:
        """f32 [packs, texts, t]: 1 where a token of the pack belongs to the text."""
        import torch

        member = torch.zeros(len(batch), max(len(p.texts) for p in batch), max(map(len, batch)))
        for row, p in enumerate(batch):
            for slot, path in enumerate(p.paths):
                member[row, slot, path] = 1
        return member.to(self.device)

    def _inputs(self, batch: Sequence[Pack], member: torch.Tensor) -> dict[str, Any]:
        """What the model is called with: the packs' tokens, and who attends to whom."""
        import torch

        tokens, mask = self._padded([p.tokens for p in batch])
        if not self.shares:
            return {"input_ids": tokens, "attention_mask": mask} | ({"use_cache": False} if self.causal else {})
        depth, _ = self._padded([p.depth for p in batch])
        related = (member.mT @ member > 0).tril()  # [packs, t, t]; padding is related to nothing and read by nobody
        lowest = torch.finfo(torch.bfloat16).min
        attends = torch.zeros(related.shape, dtype=torch.bfloat16, device=self.device).masked_fill_(~related, lowest)
        return {"input_ids": tokens, "position_ids": depth, "attention_mask": attends.unsqueeze(1), "use_cache": False}

    @property
    def _body(self) -> Any:
        """The model without its language-model head."""
        return self.model.base_model

    def _blocks(self) -> Any:
        import torch

        lists = (m for m in self._body.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == self.layers)
        return next(lists)

    # -- probabilities and samples

    def score(self, prompts: Sequence[str], completions: Sequence[Sequence[str]], tokens: int = BATCH) -> np.ndarray:
        """f32 [n, k]: log-probability of each of k completions, summed over its tokens, given its prompt.

        Prompt and completion are tokenised apart, so that the prompt's tokens do not depend on the completion.
        Logits are computed at the completion's positions alone; completions of one token share one forward pass, and
        what all prompts begin with (demonstrations) is read once.
        """
        import torch

        self._need("score")
        k = len(completions[0]) if completions else 0
        if len(prompts) != len(completions) or any(len(c) != k for c in completions):
            raise MethodError("score() needs one list of completions per prompt, all of the same length")
        if not k:
            return np.empty((len(prompts), 0), dtype=np.float32)
        flat = self.tokenizer([c for row in completions for c in row], add_special_tokens=False)["input_ids"]
        if any(not 0 < len(c) <= self.context for c in flat):
            raise MethodError(f"a completion must have 1 to {self.context} tokens", hint="give each some text")
        starts = self.encode(prompts)
        jobs: Jobs = {}
        for place, completion in enumerate(flat):
            read = tuple((starts[place // k] + completion[:-1])[-self.context :])
            jobs.setdefault(read, []).append((place, completion))
        out = np.empty(len(prompts) * k, dtype=np.float32)
        with torch.inference_mode():
            shared, cache = self._beginning(jobs)
            rests = [(read[shared:], wanted) for read, wanted in jobs.items()]
            for batch in batches(self.pack([rest for rest, _ in rests]), tokens):
                self._score_batch(batch, [wanted for _, wanted in rests], out, shared, cache)
        return out.reshape(len(prompts), k)

    def _beginning(self, jobs: Jobs) -> tuple[int, Any]:
        """(tokens that all of them begin with, keys and values of these); 0 where that is not worth a pass."""
        import torch

        room = min(len(read) - max(len(c) for _, c in wanted) for read, wanted in jobs.items())
        shared = min(room, common(min(jobs), max(jobs)))
        if not self.shares or len(jobs) < 2 or shared < BEGINNING:
            return 0, None
        tokens = torch.tensor([next(iter(jobs))[:shared]], device=self.device)
        return shared, self._body(input_ids=tokens, use_cache=True).past_key_values

    def _score_batch(
        self,
        batch: Sequence[Pack],
        wanted: Sequence[list[tuple[int, list[int]]]],
        out: np.ndarray,
        shared: int,
        cache: Any,
    ) -> None:
        from torch.nn.functional import pad

        inputs = self._inputs(batch, self._members(batch))
        if shared:
            cache = deepcopy(cache)  # a pass adds its own keys and values to what it is given
            cache.batch_repeat_interleave(len(batch))
            inputs["past_key_values"], inputs["position_ids"] = cache, inputs["position_ids"] + shared
            inputs["attention_mask"] = pad(inputs["attention_mask"], (shared, 0))  # all may attend to the beginning
        states, unembed = self._body(**inputs).last_hidden_state, self._unembedding()
        for row, p in enumerate(batch):
            for text, path in zip(p.texts, p.paths, strict=True):
                longest = max(len(c) for _, c in wanted[text])
                logp = unembed(states[row, path[-longest:]].float()).log_softmax(-1)  # [longest, vocabulary]
                for place, c in wanted[text]:
                    out[place] = logp[range(longest - len(c), longest), c].sum().item()

    def _unembedding(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """States f32 [n, d] -> logits f32 [n, vocabulary]. Not in bfloat16, whose logits come in steps of an eighth: as
        large as what tells two answers apart."""
        from torch.nn.functional import linear

        head = self.model.get_output_embeddings()
        weight, bias = head.weight.float(), None if head.bias is None else head.bias.float()
        return lambda states: linear(states, weight, bias)

    def generate(
        self,
        prompts: Sequence[str],
        n: int = 1,
        temperature: float = 1.0,
        max_tokens: int = 64,
        seed: int = 0,
        batch_size: int = 16,
    ) -> list[list[str]]:
        """[len(prompts)][n] continuations. Temperature 0 is greedy; the same seed gives the same samples."""
        import torch

        self._need("generate")
        ids, out = self.encode(prompts), [[""] * n for _ in prompts]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        how: dict[str, Any] = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0}
        how = how if temperature > 0 else {"do_sample": False}
        with torch.random.fork_rng(), torch.inference_mode():
            torch.manual_seed(seed)
            for start in range(0, len(order), batch_size):
                index = [i for i in order[start : start + batch_size] for _ in range(n)]
                tokens, mask = self._padded([ids[i] for i in index], left=True)
                made = self.model.generate(
                    tokens, attention_mask=mask, max_new_tokens=max_tokens, pad_token_id=self._filler, **how
                )
                new = self.tokenizer.batch_decode(made[:, tokens.shape[1] :], skip_special_tokens=True)
                for place, text in enumerate(new):
                    out[index[place]][place % n] = text
        return out

    def _need(self, ability: Ability) -> None:
        if ability not in self.can:
            raise Unsupported(f"{self.name} is an encoder: it cannot {ability}", hint="use a causal language model")


def _first(out: Any) -> Any:
    """The hidden states that a block returned, alone or first of a tuple."""
    return out[0] if isinstance(out, tuple) else out


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the progress bars and advice of transformers."""
    from transformers.utils import logging as untyped

    logging: Any = untyped
    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
