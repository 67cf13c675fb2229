"""Named losses: small functions of a Batch, each with its source.

All work on logits z [..., b], so that many fits of one loss run as one call; p = sigmoid(z), w = target, wh = 1[w > .5]
(a target of exactly .5 counts as 0). They return the weighted mean over the last dimension, [...]. `make(name, **params)`
sets parameters; a loss that keeps a state (elr, logconf_buffer) starts afresh in every fit. Knows no models.

arXiv: [Burns] 2312.09390 and openai/weak-to-strong, [Eleuther] EleutherAI/w2s, [Reed] 1412.6596, [Zhang] 1805.07836,
[Wang] 1908.06112, [Liu-Guo] 1910.03231, [Liu] 2007.00151, [Yao] 2502.11107.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from aar.errors import MethodError
from aar.registry import Registry
from aar.types import Batch, Loss

Step = Callable[[Batch], Tensor]
_losses: Registry[Callable[..., Any]] = Registry("loss", "aar.models")
register = _losses.register
_STATEFUL = {"elr", "logconf_buffer"}  # registered as factories: called once a fit, they give the function


@dataclass(frozen=True)
class NamedLoss:
    """A loss with its parameters, not yet started. Equal ones can run side by side unless they keep a state."""

    name: str
    params: tuple[tuple[str, Any], ...] = ()

    @property
    def stateful(self) -> bool:
        return self.name in _STATEFUL

    def start(self) -> Step:
        """The function of a Batch, with a fresh state where there is one."""
        made: Step = partial(_losses.get(self.name), **dict(self.params))
        return made() if self.stateful else made  # type: ignore[call-arg, return-value]

    def __call__(self, batch: Batch) -> Tensor:
        if self.stateful:
            raise MethodError(f"{self.name} keeps a state", hint="in an own loop: step = loss.start(); step(batch)")
        return self.start()(batch)


def names() -> list[str]:
    return _losses.names()


def make(name: str, **params: Any) -> NamedLoss:
    """`Fit(loss=make("logconf", a_max=0.75))`. An unknown name answers with the known ones."""
    try:
        inspect.signature(_losses.get(name)).bind_partial(**params)
    except TypeError as error:
        raise MethodError(f"loss {name!r}: {error}", code="bad_loss") from error
    return NamedLoss(name, tuple(sorted(params.items())))


def resolve(loss: Loss) -> NamedLoss | Step:
    return make(loss) if isinstance(loss, str) else loss


# -- pieces


def cross_entropy(z: Tensor, q: Tensor) -> Tensor:
    """CE(p, q) = -q ln p - (1-q) ln(1-p), elementwise, for any target q in [0, 1]."""
    return softplus(z) - q * z


def entropy_of(z: Tensor) -> Tensor:
    """H2(p), elementwise; written in |z| because p ln p cancels badly for large logits."""
    size = z.abs()
    return softplus(-size) + size * torch.sigmoid(-size)


def weighted_mean(value: Tensor, weight: Tensor) -> Tensor:
    return (value * weight).sum(-1) / weight.sum(-1).clamp_min(1e-12)


def hard(w: Tensor) -> Tensor:
    return (w > 0.5).to(w.dtype)


def warmed(progress: float, a_max: float, warmup: float, openai_quirk: bool = False) -> float:
    """a(s) = a_max min(1, s/s0) [both forks]. The quirk of openai's code: a_max s until s0, then a jump to a_max."""
    if progress > warmup or warmup <= 0:
        return a_max
    return a_max * (progress if openai_quirk else progress / warmup)


def class_threshold(p: Tensor, w: Tensor, reference: Tensor | None = None) -> Tensor:
    """Hard labels [..., b] whose share of class 1 is the mean of w: p0 < quantile(p0, mean w), p0 = 1 - p [Burns].

    `reference` [..., m]: predictions to take the quantile of (default p). Where several predictions tie at the
    threshold they share what is missing to the mean; openai's code would call all of them class 0.
    """
    p0, share = (1 - p).detach(), w.mean(-1, keepdim=True)
    pool = p0 if reference is None else (1 - reference).detach()
    ordered = pool.sort(-1).values
    place = share * (ordered.shape[-1] - 1)  # linear interpolation, as torch.quantile
    low, high = ordered.gather(-1, place.floor().long()), ordered.gather(-1, place.ceil().long())
    threshold = low + (high - low) * (place - place.floor())
    label = (p0 < threshold).to(p.dtype)
    tied = p0 == threshold
    count = tied.sum(-1, keepdim=True)
    rest = ((share * p0.shape[-1] - label.sum(-1, keepdim=True)) / count.clamp_min(1)).clamp(0, 1)
    return torch.where(tied & (count > 1), rest, label)


# -- imitation


@register("xent")
def xent(batch: Batch) -> Tensor:
    """CE(p, w); with a hard target the usual cross-entropy, with a soft one KL up to a constant."""
    return weighted_mean(cross_entropy(batch.logits, batch.target), batch.weight)


# -- losses that let the student disagree


@register("logconf")
def logconf(batch: Batch, a_max: float = 0.5, warmup: float = 0.1, openai_quirk: bool = False) -> Tensor:
    """CE(p, (1-a) w + a 1[p > t]), t so that the hard labels keep the weak labels' class share [Burns]."""
    a = warmed(batch.progress, a_max, warmup, openai_quirk)
    own = class_threshold(torch.sigmoid(batch.logits), batch.target)
    return weighted_mean(cross_entropy(batch.logits, (1 - a) * batch.target + a * own), batch.weight)


@register("logconf_buffer")
def logconf_buffer(a_max: float = 0.5, warmup: float = 0.1, size: int = 32, balance: bool = False) -> Step:
    """logconf with the threshold taken over the last `size` predictions, for small batches [Eleuther].

    balance: labels are first shifted to mean log-odds 0 and the threshold is the median (their `balance_batch`).
    """
    kept = torch.empty(0)

    def step(batch: Batch) -> Tensor:
        nonlocal kept
        p = torch.sigmoid(batch.logits).detach()
        kept = torch.cat([kept.to(p), p])[-max(size, len(p)) :]
        a, w, share = warmed(batch.progress, a_max, warmup), batch.target, batch.target
        if balance:
            odds = torch.logit(w, eps=1e-7)
            w, share = torch.sigmoid(odds - odds.mean()), torch.full_like(w, 0.5)
        own = class_threshold(p, share, kept)
        return weighted_mean(cross_entropy(batch.logits, (1 - a) * w + a * own), batch.weight)

    return step


@register("entropy")
def entropy(batch: Batch, a_max: float = 0.5, warmup: float = 0.1) -> Tensor:
    """(1-a) CE(p, w) + a H2(p) [Eleuther]. Not detached: in their code the second term has no gradient at all."""
    a = warmed(batch.progress, a_max, warmup)
    z = batch.logits
    return weighted_mean((1 - a) * cross_entropy(z, batch.target) + a * entropy_of(z), batch.weight)


@register("product")
def product(batch: Batch, alpha: float = 1.0, beta: float = 1.0) -> Tensor:
    """CE(p, q), q_c ~ p_c^beta w_c^alpha, detached [openai/weak-to-strong, product loss]."""
    q = torch.sigmoid(beta * batch.logits.detach() + alpha * torch.logit(batch.target, eps=1e-6))
    return weighted_mean(cross_entropy(batch.logits, q), batch.weight)


@register("window")
def window(batch: Batch, radius: float | str = 0.15) -> Tensor:
    """CE(p, w) where max(p, 1-p) < .5 + radius, summed and divided by b; radius "midweak" = median |w - .5|."""
    p = torch.sigmoid(batch.logits).detach()
    r = torch.tensor(radius) if isinstance(radius, float) else _median_confidence(batch.target)
    inside = ((p - 0.5).abs() < r).to(p.dtype)
    return weighted_mean(inside * cross_entropy(batch.logits, batch.target), batch.weight)


def _median_confidence(w: Tensor) -> Tensor:
    return (w - 0.5).abs().median(-1, keepdim=True).values


@register("reverse_kl")
def reverse_kl(batch: Batch, clip: float = 1e-4) -> Tensor:
    """KL(p || w) = p ln(p/w) + (1-p) ln((1-p)/(1-w)), w clipped to [clip, 1-clip] [Yao]."""
    return weighted_mean(_reverse_ce(batch, clip) - entropy_of(batch.logits), batch.weight)


@register("reverse_ce")
def reverse_ce(batch: Batch, clip: float = 1e-4) -> Tensor:
    """-(p ln w + (1-p) ln(1-w)): cross-entropy with the roles exchanged [Yao]."""
    return weighted_mean(_reverse_ce(batch, clip), batch.weight)


def _reverse_ce(batch: Batch, clip: float) -> Tensor:
    w, p = batch.target.clamp(clip, 1 - clip), torch.sigmoid(batch.logits)
    return -(p * w.log() + (1 - p) * (1 - w).log())


@register("gce")
def gce(batch: Batch, q: float = 0.7, truncate: float | None = None) -> Tensor:
    """(1 - p_y^q) / q with y = wh; q -> 0 is CE, q = 1 is MAE; dropped while p_y < truncate [Zhang]."""
    logp = logsigmoid(batch.logits * (2 * hard(batch.target) - 1))
    loss = -torch.expm1(q * logp) / q
    if truncate is not None:
        loss = loss * (logp.detach().exp() >= truncate)
    return weighted_mean(loss, batch.weight)


@register("sce")
def sce(batch: Batch, alpha: float = 1.0, beta: float = 1.0, log0: float = -4.0) -> Tensor:
    """alpha CE + beta RCE, where ln 0 of the target counts as `log0` [Wang]."""
    w, p = batch.target, torch.sigmoid(batch.logits)
    rce = -(p * w.log().clamp_min(log0) + (1 - p) * (1 - w).log().clamp_min(log0))
    return weighted_mean(alpha * cross_entropy(batch.logits, w) + beta * rce, batch.weight)


@register("bootstrap_soft")
def bootstrap_soft(batch: Batch, b: float = 0.95) -> Tensor:
    """CE(p, b wh + (1-b) p) = b CE(p, wh) + (1-b) H2(p), with the gradient through both [Reed]."""
    z = batch.logits
    return weighted_mean(b * cross_entropy(z, hard(batch.target)) + (1 - b) * entropy_of(z), batch.weight)


@register("bootstrap_hard")
def bootstrap_hard(batch: Batch, b: float = 0.8) -> Tensor:
    """CE(p, b wh + (1-b) 1[p > .5]), no gradient through the student's own label [Reed]."""
    own = (batch.logits > 0).to(batch.target.dtype)
    return weighted_mean(cross_entropy(batch.logits, b * hard(batch.target) + (1 - b) * own), batch.weight)


@register("peer")
def peer(batch: Batch, alpha: float = 1.0) -> Tensor:
    """CE(p_i, wh_i) - alpha CE(p_j, wh_k) [Liu-Guo], with the exact mean over all j, k of the batch, not one draw.

    CE is linear in its target, so the mean over independent j and k is CE of every p_j to the mean label.
    """
    z, y, weight = batch.logits, hard(batch.target), batch.weight
    mean_label = weighted_mean(y, weight).unsqueeze(-1)
    return weighted_mean(cross_entropy(z, y) - alpha * cross_entropy(z, mean_label), weight)


@register("elr")
def elr(b: float = 0.7, strength: float = 1.0) -> Step:
    """CE(p, wh) + strength * mean ln(1 - <p, t>), t_i <- b t_i + (1-b) p_i over both classes, from 0 [Liu].

    Their strength is 3 for ten classes; 1 suits two. `Batch.index` says which t belongs to which row.
    """
    running = torch.zeros(0, 2)

    def step(batch: Batch) -> Tensor:
        nonlocal running
        p = torch.sigmoid(batch.logits)
        both = torch.stack([1 - p, p], -1)  # [b, 2]
        if (short := int(batch.index.max()) + 1 - len(running)) > 0:
            running = torch.cat([running.to(p), torch.zeros(short, 2).to(p)])
        t = b * running[batch.index] + (1 - b) * both.detach()
        running = running.index_copy(0, batch.index, t)
        agreement = (both * t).sum(-1).clamp_max(1 - 1e-4)
        loss = cross_entropy(batch.logits, hard(batch.target)) + strength * torch.log1p(-agreement)
        return weighted_mean(loss, batch.weight)

    return step
