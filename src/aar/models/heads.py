"""Small heads on frozen features: what they are and how their training is set up. `training` runs it.

A head is linear (default) or a tanh MLP with one hidden layer. For pairs it has no bias, so that it is odd in the
feature difference: p(swapped) = 1 - p exactly. Features are scaled by their spread over the rows of the fit; the scale
is part of the head. Knows features by text only: no files, no language models.

R heads, n rows, d features, h hidden units (1 in a linear head).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from aar.types import Kind, Text

Shape = Literal["linear", "mlp"]
Features = Callable[[Sequence[Text]], np.ndarray]  # rows -> f32 [n, d]
Params = dict[str, Tensor]
UNITS = 32  # h of an MLP


@dataclass(frozen=True)
class Head:
    """One trained head. params: weight f32 [h, d]; in an MLP out [h]; for binary rows bias [1] and, in an MLP, inner [h].
    shift, scale: f32 [d], what features are shifted and divided by."""

    kind: Kind
    params: Mapping[str, np.ndarray]
    shift: np.ndarray
    scale: np.ndarray

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Unscaled features f32 [n, d] -> logits f32 [n]."""
        stacked = {k: torch.from_numpy(v)[None] for k, v in self.params.items()}
        shift, scale = torch.from_numpy(self.shift)[None], torch.from_numpy(self.scale)[None]
        with one_thread(), torch.no_grad():
            return forward(stacked, shift, scale, torch.from_numpy(np.asarray(features, np.float32)))[0].numpy()


def forward(params: Mapping[str, Tensor], shift: Tensor, scale: Tensor, x: Tensor) -> Tensor:
    """Logits [R, n] of R heads on unscaled features x, shared [n, d] or one set a head [R, n, d].

    The scale is folded into the weights, so that shared features need one matrix product for all heads.
    """
    weight = params["weight"] / scale.unsqueeze(1)  # [R, h, d]
    if x.dim() == 2:
        inner = (x @ weight.flatten(0, 1).mT).reshape(-1, *weight.shape[:2]).movedim(0, 1)  # [R, n, h]
    else:
        inner = x @ weight.mT
    if "bias" in params:  # binary: features are centred; pairs have shift 0 and no bias, to be odd
        inner = inner - (weight @ shift.unsqueeze(-1)).mT
    if "inner" in params:
        inner = inner + params["inner"].unsqueeze(1)
    z = (torch.tanh(inner) * params["out"].unsqueeze(1)).sum(-1) if "out" in params else inner.squeeze(-1)
    return z + params["bias"] if "bias" in params else z


def initial(kind: Kind, shape: Shape, width: int, seed: int) -> Params:
    """Fresh parameters: small random weights, so that seeds differ and no two predictions tie."""
    draw = torch.Generator().manual_seed(seed)
    if shape == "linear":
        params = {"weight": 0.01 * torch.randn(1, width, generator=draw)}
    else:
        params = {
            "weight": torch.randn(UNITS, width, generator=draw) / math.sqrt(width),
            "out": 0.1 * torch.randn(UNITS, generator=draw) / math.sqrt(UNITS),
        }
    if kind == "binary":
        params["bias"] = torch.zeros(1)
        if shape == "mlp":
            params["inner"] = torch.zeros(UNITS)
    return params


def spread(features: np.ndarray, kind: Kind) -> tuple[np.ndarray, np.ndarray]:
    """(shift, scale), f32 [d] each, of features [n, d].

    Pairs are not shifted and are scaled by the root mean square, which does not change when sides are exchanged.
    """
    shift = np.zeros(features.shape[1], np.float32) if kind == "pair" else features.mean(0)
    scale = np.sqrt(np.square(features - shift).mean(0))
    floor = 1e-6 * (1 + scale.max(initial=0))  # a constant feature stays 0 instead of exploding on other rows
    return shift.astype(np.float32), np.maximum(scale, floor).astype(np.float32)


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums in one order: the number of threads changes the bits of a matrix product."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
