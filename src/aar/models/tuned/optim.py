"""AdamW for a stack of fits: each lane has its own rate, schedule and clipping, so that company changes nothing.

Linear warm-up, then linear decay to 0. arXiv 1711.05101 for the decoupled decay.
"""

from __future__ import annotations

from collections.abc import MutableMapping

import torch
from torch import Tensor

from aar.models.tuned.rules import Tuning

BETAS, EPS = (0.9, 0.999), 1e-8


class LaneAdamW:
    """Over tensors [R, ...]; `moments` hold the state. A lane may be dropped once it is done."""

    def __init__(self, params: dict[str, Tensor], rules: Tuning) -> None:
        self.params, self.rules = params, rules
        self.first, self.second = self._moments(root=False), self._moments(root=True)

    def _moments(self, root: bool) -> MutableMapping[str, Tensor]:
        zeros = ((name, torch.zeros_like(p)) for name, p in self.params.items())  # one at a time
        if self.rules.optimizer == "adamw":
            return dict(zeros)
        from aar.models.tuned.eight_bit import EightBit

        return EightBit(zeros, root=root)

    @torch.no_grad()
    def step(self, count: int, rates: Tensor, totals: Tensor) -> None:
        """Update number `count` (from 0) with base rates [R] of lanes that will take `totals` [R] steps; clears gradients."""
        keep = self._clipping()
        warm = (totals * self.rules.warmup).clamp_min(1)
        share = torch.minimum((count + 1) / warm, ((totals - count) / (totals - warm).clamp_min(1)).clamp(0, 1))
        rate = rates * share
        a, b = BETAS
        for name, p in self.params.items():
            if p.grad is None:
                continue
            shape = (-1, *[1] * (p.dim() - 1))
            g, m, v, r = p.grad * keep.reshape(shape), self.first[name], self.second[name], rate.reshape(shape)
            m.lerp_(g, 1 - a)
            v.mul_(b).addcmul_(g, g, value=1 - b)
            self.first[name], self.second[name] = m, v
            spread = (v / (1 - b ** (count + 1))).sqrt_().add_(EPS)
            p.mul_(1 - r * self.rules.decay).sub_(r * (m / (1 - a ** (count + 1))) / spread)
            p.grad = None

    def _clipping(self) -> Tensor:
        """[R]: what each lane's gradient is multiplied by."""
        grads = [p.grad for p in self.params.values() if p.grad is not None]
        norm = torch.stack([g.flatten(1).square().sum(1) for g in grads]).sum(0).sqrt()
        return (self.rules.clip / norm.clamp_min(1e-12)).clamp_max(1)

    def keep(self, lanes: list[int]) -> None:
        """Forgets every lane but these."""
        for store in (self.params, self.first, self.second):
            for name, value in store.items():
                store[name] = value.detach()[lanes].clone().requires_grad_(store is self.params)
