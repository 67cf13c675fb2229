"""Losses for labels that are wrong in a known or assumed way. The same rules as in `losses`: functions of a Batch on
logits [..., b], wh = 1[w > .5], the weighted mean over the last dimension.

arXiv: [Patrini] 1609.03683, [Wei] 2106.04149, [Guo] 2402.03749 and ggjy/vision_weak_to_strong.
"""

from __future__ import annotations

import torch
from torch import Tensor

from aar.errors import MethodError
from aar.models.losses import cross_entropy, entropy_of, hard, register, warmed, weighted_mean
from aar.types import Batch


@register("smoothed")
def smoothed(batch: Batch, epsilon: float = 0.1) -> Tensor:
    """CE(p, (1-e) wh + e/2); e < 0 is negative smoothing, whose targets lie outside [0, 1] [Wei, eq. 4]."""
    target = (1 - epsilon) * hard(batch.target) + epsilon / 2
    return weighted_mean(cross_entropy(batch.logits, target), batch.weight)


@register("entropy_detached")
def entropy_detached(batch: Batch, a_max: float = 0.5, warmup: float = 0.1) -> Tensor:
    """CE(p, (1-a) w + a sg(p)): `entropy` as EleutherAI/w2s codes it (harden=False).

    The detached half has the gradient p - sg(p) = 0, so all it does is scale the weak term by 1 - a.
    """
    a = warmed(batch.progress, a_max, warmup)
    own = torch.sigmoid(batch.logits).detach()
    return weighted_mean(cross_entropy(batch.logits, (1 - a) * batch.target + a * own), batch.weight)


@register("forward_corrected")
def forward_corrected(batch: Batch, e0: float = 0.0, e1: float = 0.0) -> Tensor:
    """CE(T^t p, wh): the student's p is first made as noisy as the labels. e0 = P(wh=1 | y=0), e1 = P(wh=0 | y=1)
    [Patrini, theorem 2]."""
    _rates(e0, e1)
    p = torch.sigmoid(batch.logits)
    said = (e0 + (1 - e0 - e1) * p).clamp(1e-7, 1 - 1e-7)
    y = hard(batch.target)
    return weighted_mean(-(y * said.log() + (1 - y) * torch.log1p(-said)), batch.weight)


@register("backward_corrected")
def backward_corrected(batch: Batch, e0: float = 0.0, e1: float = 0.0) -> Tensor:
    """T^-1 applied to the loss vector: unbiased for CE on clean labels, but may be negative [Patrini, theorem 1]."""
    _rates(e0, e1)
    y, z = hard(batch.target), batch.logits
    if_one, if_zero = cross_entropy(z, torch.ones_like(z)), cross_entropy(z, torch.zeros_like(z))
    one = (1 - e0) * if_one - e1 * if_zero
    zero = (1 - e1) * if_zero - e0 * if_one
    return weighted_mean((y * one + (1 - y) * zero) / (1 - e0 - e1), batch.weight)


def _rates(e0: float, e1: float) -> None:
    if min(e0, e1) < 0 or e0 + e1 >= 1:
        raise MethodError(
            f"noise rates {e0:.2f} and {e1:.2f} say nothing of the truth",
            code="bad_loss",
            hint="a correction needs e0, e1 >= 0 and e0 + e1 < 1",
        )


@register("adaptconf")
def adaptconf(batch: Batch, temperature: float = 0.5) -> Tensor:
    """(1-b) KL(w || p) + b CE(p, 1[p > .5]), b = e^(CE(p, 1[p > .5]) / T) / (that + e^(CE(p, wh) / T)), detached [Guo, eq. 5].

    So b is 1/2 where student and teacher agree and falls with how sure the student is of the opposite: the code's sign.
    """
    z = batch.logits
    own, theirs = cross_entropy(z, hard(torch.sigmoid(z))), cross_entropy(z, hard(batch.target))
    b = torch.sigmoid((own - theirs) / temperature).detach()
    w = batch.target
    kl = cross_entropy(z, w) - entropy_of(torch.logit(w, eps=1e-6))
    return weighted_mean((1 - b) * kl + b * own, batch.weight)
