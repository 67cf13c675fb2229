"""LoRA for several fits at once: R adapters side by side on one frozen base.

y = base(x) + s (x A) B, with A [R, d_in, r] and B [R, r, d_out] of the lane that a row belongs to; B starts at 0. Scale
s = alpha / sqrt(r): rsLoRA (arXiv 2312.03732); alpha / r is the original (2106.09685). Adapters sit on every linear layer
of every block by forward hooks, so the base is never changed and serves any number of fits. PEFT is the oracle in tests.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from aar.models.tuned.base import Base

Weights = dict[str, Tensor]  # "<layer>.A" [R, d_in, r] and "<layer>.B" [R, r, d_out], float32


def linears(base: Base) -> dict[str, tuple[nn.Module, int, int]]:
    """Name -> (module, d_in, d_out) of every linear layer of the blocks."""
    from transformers.pytorch_utils import Conv1D

    found: dict[str, tuple[nn.Module, int, int]] = {}
    for name, module in base.blocks().named_modules():
        if isinstance(module, nn.Linear):
            found[name] = (module, module.in_features, module.out_features)
        elif isinstance(module, Conv1D):  # gpt-2: a linear layer with its weight transposed
            found[name] = (module, *module.weight.shape)
    return found


def initial(base: Base, seeds: Sequence[int], rank: int) -> Weights:
    """Fresh adapters, one lane a seed: A uniform as torch initialises linear layers, B zero."""
    lanes = [torch.Generator().manual_seed(seed) for seed in seeds]
    out: Weights = {}
    for name, (_, d_in, d_out) in linears(base).items():
        bound = 1 / math.sqrt(d_in)
        a = [torch.empty(d_in, rank).uniform_(-bound, bound, generator=lane) for lane in lanes]
        out[f"{name}.A"] = torch.stack(a).to(base.device)
        out[f"{name}.B"] = torch.zeros(len(seeds), rank, d_out, device=base.device)
    return out


def lane(weights: Mapping[str, Tensor], r: int) -> Weights:
    """One adapter of a stack, still stacked [1, ...]."""
    return {k: v[r : r + 1] for k, v in weights.items()}


@contextlib.contextmanager
def applied(base: Base, weights: Mapping[str, Tensor], scale: float) -> Iterator[None]:
    """Within, the base is adapted: of a batch [R b, ...], rows r b to (r+1) b belong to lane r. One thread at a time."""
    base.adapters.append((weights, scale))
    with contextlib.ExitStack() as undo:
        undo.callback(base.adapters.pop)
        if len(base.adapters) == 1:  # an inner use only changes whose weights the hooks find
            for name, (module, _, _) in linears(base).items():
                undo.callback(module.register_forward_hook(_hook(base, name)).remove)
        yield


def _hook(base: Base, name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor]:
    def add(module: nn.Module, args: tuple[Tensor, ...], out: Tensor) -> Tensor:
        weights, scale = base.adapters[-1]
        x, a, b = args[0], weights[f"{name}.A"], weights[f"{name}.B"]
        low = torch.bmm(x.reshape(len(a), -1, x.shape[-1]), a.to(x.dtype))  # [R, b t, r]
        return out + (scale * torch.bmm(low, b.to(x.dtype))).reshape(out.shape)

    return add
