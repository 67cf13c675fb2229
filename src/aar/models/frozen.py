"""A frozen language model: hidden states, log-probabilities and samples, without gradients, in bfloat16.

Reads causal models (llama, qwen, gpt-2, ...) and encoders (BERT) from safetensors; code that comes with weights is
never run. Layer 0 is the embedding, layer l the residual stream after block l, before any final norm. A text
longer than `weights.CONTEXT` tokens (or the model's own limit) is cut at its front. Knows nothing of rows or files
of features.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from aar.errors import InputError, Unsupported
from aar.models import weights
from aar.models.packing import BATCH, Pack, by_length, pack
from aar.settings import generation_engine
from aar.types import Ability

if TYPE_CHECKING:
    import torch

Pooling = Literal["mean", "last"]
POOLINGS: tuple[Pooling, ...] = ("mean", "last")
SHARES = ("llama", "qwen2", "qwen3", "gpt2")  # full attention by position ids alone, so that texts can be packed


_SAFE: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}


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

    def __init__(self, name: str, folder: Path, device: str | None = None, engine: str | None = None) -> None:
        self.name, self.folder, self._device = name, folder, device
        self.engine = engine or generation_engine()
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
        return [i or [self.filler] for i in ids]

    @property
    def filler(self) -> int:
        t = self.tokenizer
        return next((i for i in (t.pad_token_id, t.eos_token_id, t.bos_token_id) if i is not None), 0)

    def padded(self, ids: Sequence[Sequence[int]], left: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
        """Token ids [b, t] and mask [b, t]."""
        import torch

        longest = max(len(i) for i in ids)
        tokens = torch.full((len(ids), longest), self.filler, dtype=torch.long)
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
        packs = self.pack(ids)
        for some in by_length(packs, tokens):
            batch = [packs[i] for i in some]
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
        member = self.members(batch)  # [packs, texts, t]
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
            self.body(**self.inputs(batch, member))
        return found

    def members(self, batch: Sequence[Pack]) -> torch.Tensor:
        """f32 [packs, texts, t]: 1 where a token of the pack belongs to the text."""
        import torch

        member = torch.zeros(len(batch), max(len(p.texts) for p in batch), max(map(len, batch)))
        for row, p in enumerate(batch):
            for slot, path in enumerate(p.paths):
                member[row, slot, path] = 1
        return member.to(self.device)

    def inputs(self, batch: Sequence[Pack], member: torch.Tensor) -> dict[str, Any]:
        """What the model is called with: the packs' tokens, and who attends to whom."""
        import torch

        tokens, mask = self.padded([p.tokens for p in batch])
        if not self.shares:
            return {"input_ids": tokens, "attention_mask": mask} | ({"use_cache": False} if self.causal else {})
        depth, _ = self.padded([p.depth for p in batch])
        related = (member.mT @ member > 0).tril()  # [packs, t, t]; padding is related to nothing and read by nobody
        lowest = torch.finfo(torch.bfloat16).min
        attends = torch.zeros(related.shape, dtype=torch.bfloat16, device=self.device).masked_fill_(~related, lowest)
        return {"input_ids": tokens, "position_ids": depth, "attention_mask": attends.unsqueeze(1), "use_cache": False}

    @property
    def body(self) -> Any:
        """The model without its language-model head."""
        return self.model.base_model

    def _blocks(self) -> Any:
        import torch

        lists = (m for m in self.body.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == self.layers)
        return next(lists)

    # -- probabilities and samples

    def score(self, prompts: Sequence[str], completions: Sequence[Sequence[str]], tokens: int = BATCH) -> np.ndarray:
        """f32 [n, k]: log-probability of each of k completions given its prompt; see `logprobs`."""
        from aar.models.logprobs import score

        self._need("score")
        return score(self, prompts, completions, tokens)

    def generate(
        self, prompts: Sequence[str], n: int = 1, temperature: float = 1.0, max_tokens: int = 64, seed: int = 0
    ) -> list[list[str]]:
        """[len(prompts)][n] continuations. Temperature 0 is greedy; the same seed gives the same samples."""
        from aar.models.sampling import engines

        self._need("generate")
        if self.engine not in engines:
            known = ", ".join(engines)
            raise InputError(f"nothing generates by {self.engine!r}", hint=f"$AAR_ENGINE is one of: {known}")
        return engines[self.engine](self, prompts, n, temperature, max_tokens, seed)

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
