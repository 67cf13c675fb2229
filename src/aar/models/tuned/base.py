"""The frozen language model under all adapters: tokens in, the state at the label position out.

Batches are padded on the right and no mask is passed: under causal attention a token never sees what follows it, and
only real positions are read. That keeps attention on its fast causal kernels. Knows no labels and no training.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from aar.errors import LabError
from aar.models import weights
from aar.models.tuned import prompts
from aar.types import Kind, Text

CPU_TOKENS = 2048  # of a pass: more is no faster on a CPU, and 16,384 took SmolLM2-135M to 9.6 GB
COMPILER = "inductor"  # torch.compile's own default
CONTEXT = 8192  # tokens of a prompt that are read at most, as in the reference study


class Base:
    """The weights of `folder` on one device: bf16 on a GPU, fp32 on a CPU (where bf16 trains slower)."""

    compile = False

    def __init__(self, folder: Path, device: str | None = None, compile: bool = False) -> None:
        config = weights.config(folder)
        self.folder, self.compile = folder, compile
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.dtype = torch.bfloat16 if self.device.type == "cuda" else torch.float32
        self.context = min(CONTEXT, int(config.get("max_position_embeddings") or CONTEXT))
        self.adapters: list[tuple[Mapping[str, Tensor], float]] = []  # the innermost LoRA in use is the last

    @cached_property
    def model(self) -> Any:
        """The transformers model, without gradients, read when first needed."""
        from transformers import AutoModelForCausalLM

        model: Any = AutoModelForCausalLM.from_pretrained(
            str(self.folder), dtype=self.dtype, use_safetensors=True, trust_remote_code=False, local_files_only=True
        )
        model = model.to(self.device).eval().requires_grad_(False)
        if self.compile:
            torch._dynamo.config.skip_nnmodule_hook_guards = False  # adapters are hooks, and they come and go
            for block in _blocks(model):
                block.compile(dynamic=True, backend=COMPILER)
        return model

    @cached_property
    def tokenizer(self) -> Any:
        return weights.tokenizer(self.folder)

    def encode(self, rows: Sequence[Text]) -> list[list[int]]:
        return prompts.encode(self.tokenizer, rows, self.context)

    @cached_property
    def _label_ids(self) -> dict[Kind, tuple[int, int]]:
        kinds: tuple[Kind, ...] = ("pair", "binary")
        return {kind: prompts.label_ids(self.tokenizer, kind) for kind in kinds}

    def readout(self, kind: Kind) -> Tensor:
        """[d]: w(label 1) - w(label 0), so that state @ readout is the log-odds between the two labels."""
        zero, one = self._label_ids[kind]
        head = self.model.get_output_embeddings().weight
        return head[one] - head[zero]

    def blocks(self) -> torch.nn.ModuleList:
        """The transformer blocks: adapters sit on the linear layers in there."""
        return _blocks(self.model)

    def states(self, ids: Sequence[Sequence[int]]) -> Tensor:
        """[b, d]: the last hidden state (after the final norm) at each prompt's last token."""
        longest = max(len(i) for i in ids)
        tokens = torch.zeros(len(ids), longest, dtype=torch.long)
        for row, i in enumerate(ids):
            tokens[row, : len(i)] = torch.tensor(i)
        last = torch.tensor([len(i) - 1 for i in ids], device=self.device)
        out = self.model.base_model(input_ids=tokens.to(self.device), use_cache=False).last_hidden_state
        return out[torch.arange(len(ids), device=self.device), last]

    def most(self, tokens: int) -> int:
        """Tokens of a pass: as asked for, on a CPU no more than help there."""
        return min(tokens, CPU_TOKENS) if self.device.type == "cpu" else tokens

    def shrunk(self, tokens: int, row: int) -> int:
        """After memory ran out: tokens of the next try. LabError where `row`, the least that a pass reads, was too much."""
        torch.cuda.empty_cache()
        if tokens <= row:
            raise LabError(
                f"a pass of {row} tokens, the least there is, does not fit into the memory of {self.device}",
                code="out_of_memory",
                hint="use a smaller student, fewer lanes (Tuning.lanes) or a bigger GPU",
            )
        return tokens // 2

    def logits(self, states: Tensor, kind: Kind) -> Tensor:
        """[...] float32 log-odds of label 1 against label 0. The rest of the vocabulary is never multiplied out."""
        return states.float() @ self.readout(kind).float()

    @contextlib.contextmanager
    def recomputed(self) -> Iterator[None]:
        """Activations of a block are computed again in the backward pass instead of kept."""
        self.model.gradient_checkpointing_enable({"use_reentrant": False})
        self.model.train()  # transformers checkpoints in training mode only; these models have no dropout here
        try:
            yield
        finally:
            self.model.gradient_checkpointing_disable()
            self.model.eval()


def _blocks(model: Any) -> torch.nn.ModuleList:
    count = int(model.config.get_text_config().num_hidden_layers)
    return next(m for m in model.base_model.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == count)
