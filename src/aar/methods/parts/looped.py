"""A linear head with a training loop of one's own, for methods that perturb what the head reads: noise, dropout,
adversarial steps, an average of past weights. `fit` of the contract cannot: its losses see logits alone.

Reads the student's features, so it runs on any student that has them. Same scaling, rate, steps and ridge as the heads of
`models/training.py`, so that without a perturbation it is the vanilla head. n rows, d features, b batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from aar.models.heads import one_thread, spread
from aar.models.training import RIDGE, STEPS, rate
from aar.types import Kind

Objective = Callable[["Loop", float], Tensor]  # (the loop, share of the training done) -> scalar


@dataclass
class Loop:
    """weight [d] and bias of the head; slow: a copy that `average` moves towards it."""

    kind: Kind
    shift: np.ndarray
    scale: np.ndarray
    weight: Tensor
    bias: Tensor
    draw: torch.Generator
    slow: Tensor

    def scaled(self, features: np.ndarray) -> Tensor:
        """f32 [n, d] as the head sees them."""
        return torch.from_numpy(((features - self.shift) / self.scale).astype(np.float32))

    def logits(self, x: Tensor, slow: bool = False) -> Tensor:
        """[n] of scaled features; slow: by the averaged weights, without gradient."""
        if slow:
            return (x @ self.slow[:-1] + self.slow[-1] * (self.kind == "binary")).detach()
        return x @ self.weight + (self.bias if self.kind == "binary" else 0)

    def average(self, decay: float) -> None:
        """Moves the slow copy: slow <- decay slow + (1 - decay) now."""
        with torch.no_grad():
            self.slow.lerp_(torch.cat([self.weight, self.bias]), 1 - decay)

    def noise(self, x: Tensor, size: float) -> Tensor:
        return x + size * torch.randn(x.shape, generator=self.draw, dtype=x.dtype)

    def dropped(self, x: Tensor, share: float) -> Tensor:
        """Features dropped with this probability, the others scaled up."""
        return x * (torch.rand(x.shape, generator=self.draw, dtype=x.dtype) >= share) / (1 - share)

    def probability(self, features: np.ndarray, slow: bool = False) -> np.ndarray:
        with one_thread(), torch.no_grad():
            return torch.sigmoid(self.logits(self.scaled(features), slow)).numpy()


def opened(features: np.ndarray, kind: Kind, seed: int) -> Loop:
    """An untrained loop whose scale is that of these rows [n, d]."""
    shift, scale = spread(features, kind)
    draw = torch.Generator().manual_seed(seed % 2**31)
    weight = (0.01 * torch.randn(features.shape[1], generator=draw)).requires_grad_()
    bias = torch.zeros(1, requires_grad=True)
    return Loop(kind, shift, scale, weight, bias, draw, torch.cat([weight, bias]).detach().clone())


def train(loop: Loop, objective: Objective, ridge: float = RIDGE, steps: int = STEPS) -> Loop:
    """Adam on the objective plus ridge |w|^2 / 2, the rate falling linearly to 0."""
    lr = rate(len(loop.weight))
    optimiser = torch.optim.Adam([loop.weight, loop.bias], lr=lr)
    with one_thread():
        for step in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = lr * (1 - step / steps)
            optimiser.zero_grad()
            (objective(loop, step / steps) + ridge * loop.weight.square().sum() / 2).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return loop


def cross_entropy(z: Tensor, target: Tensor) -> Tensor:
    """[n] -q ln p - (1 - q) ln(1 - p)."""
    return softplus(z) - target * z
