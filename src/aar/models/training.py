"""Train many heads side by side: different targets, weights, seeds and subsets of the rows, one matrix product a step.

AdamW in float64 on one thread: the same call gives the same bytes, and company changes nothing. (In float32 the order
of a sum, which depends on company, can turn one hard label of logconf round, and the fit with it.)
Defaults (None in a Fit): all rows at once up to 1,024, otherwise random 1,024 of them; 120 steps; lr .6 / d falling
linearly to 0. A linear head carries a ridge penalty of |w|^2 / 2 on its RMS-scaled features, an MLP only AdamW's decay
of .01. The ridge is what keeps a student of noisy labels from copying the noise: on 550 pairs of SmolLM2 features (code
testbed, layer 20) it moves the hard-label student from PGR .04 (l2 = .01) to .37 (l2 = 1), the ceiling staying at .90.

R fits, b rows of a fit in a step (padded to the longest), d features.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from aar.errors import MethodError, Unsupported
from aar.models import losses
from aar.models.heads import Features, Head, Params, Shape, forward, initial, one_thread, spread
from aar.types import Batch, Fit, Kind, Rows

STEPS, BATCH, DECAY = 120, 1024, 0.01
RIDGE = 1.0  # of a linear head's weights


def rate(width: int) -> float:
    """The default learning rate for features of this width: Adam moves every weight alike, so a logit by about d lr."""
    return min(0.05, 0.6 / width)


def fit(
    fits: Sequence[Fit],
    features: Features,
    kind: Kind,
    shape: Shape = "linear",
    starts: Sequence[Head | None] | None = None,
    ridge: float | None = None,
) -> list[Head]:
    """One head for each fit, in order. `starts`: heads to go on from (they keep their scale) instead of fresh ones."""
    for job in fits:
        check(job, kind)
    starts = starts or [None] * len(fits)
    lanes: dict[tuple[int, bool], list[int]] = {}
    for i, job in enumerate(fits):
        lanes.setdefault((_steps(job), _size(job) == len(job.rows)), []).append(i)
    out: dict[int, Head] = {}
    with one_thread():
        for members in lanes.values():
            lane = _Lane([fits[i] for i in members], features, kind, shape, [starts[i] for i in members], ridge)
            out |= dict(zip(members, lane.train(), strict=True))
    return [out[i] for i in range(len(fits))]


def check(job: Fit, kind: Kind) -> None:
    n, target, weight = len(job.rows), np.asarray(job.target), _weight(job)
    if job.rows.kind != kind:
        raise MethodError(f"this student reads {kind} rows, not {job.rows.kind} rows", code="bad_fit")
    if n == 0 or target.shape != (n,) or weight.shape != (n,):
        raise MethodError(f"Fit has {n} rows, target {target.shape}, weight {weight.shape}", code="bad_fit")
    if not np.isfinite(target).all() or target.min() < 0 or target.max() > 1:
        raise MethodError("Fit.target must be probabilities in [0, 1]", code="bad_fit")
    if not np.isfinite(weight).all() or weight.min() < 0 or weight.sum() == 0:
        raise MethodError("Fit.weight must be finite, >= 0 and not all 0", code="bad_fit")


def _weight(job: Fit) -> np.ndarray:
    return np.ones(len(job.rows)) if job.weight is None else np.asarray(job.weight)


def _size(job: Fit) -> int:
    return min(job.batch_size or BATCH, len(job.rows))


def _steps(job: Fit) -> int:
    return STEPS if job.epochs is None else max(1, math.ceil(job.epochs * len(job.rows) / _size(job)))


class _Lane:
    """Fits with the same number of steps, in lockstep. `full`: every step sees all rows of every fit."""

    def __init__(
        self,
        fits: Sequence[Fit],
        features: Features,
        kind: Kind,
        shape: Shape,
        starts: Sequence[Head | None],
        ridge: float | None,
    ) -> None:
        self.fits, self.features, self.kind = fits, features, kind
        self.ridge = 0.0 if shape != "linear" else RIDGE if ridge is None else ridge
        self.steps, self.sizes = _steps(fits[0]), [_size(job) for job in fits]
        self.full = all(size == len(job.rows) for size, job in zip(self.sizes, fits, strict=True))
        where = {text: i for i, text in enumerate(dict.fromkeys(t for job in fits for t in job.rows.texts))}
        raw = np.asarray(features(list(where)), np.float32)
        self.x = torch.from_numpy(
            raw
        ).double()  # [m, d] of the m different rows, unscaled: every head has its own scale
        places = [np.array([where[t] for t in job.rows.texts]) for job in fits]
        self.place = _padded(places, torch.int64)  # [R, n] position in x
        self.target = _padded([np.asarray(job.target) for job in fits], torch.float64)  # [R, n]
        self.weight = _padded([_weight(job) for job in fits], torch.float64)  # [R, n]
        spreads = [(s.shift, s.scale) if s else spread(raw[r], kind) for s, r in zip(starts, places, strict=True)]
        self.shift = torch.from_numpy(np.stack([shift for shift, _ in spreads])).double()  # [R, d]
        self.scale = torch.from_numpy(np.stack([scale for _, scale in spreads])).double()  # [R, d]
        self.params = _begin(fits, starts, kind, shape, raw.shape[1])
        self.groups = self._grouped()
        self.known: dict[int, tuple[Rows, Tensor]] = {}  # rows that a loss asked for -> their features
        self.scaled: dict[int, Tensor] = {}  # the hidden of a fit, where every step has the same rows
        self.free: dict[int, Iterator[Tensor]] = {}  # batches of the unlabeled rows of a fit

    def _grouped(self) -> list[tuple[losses.Step, list[int], bool]]:
        """(loss, its fits, whether one call serves them all): a pure named loss does where batches are of one size."""
        groups: dict[object, tuple[losses.Step, list[int], bool]] = {}
        for r, job in enumerate(self.fits):
            loss = losses.resolve(job.loss)
            if isinstance(loss, losses.NamedLoss):
                key = r if loss.stateful else (loss, self.sizes[r])
                groups.setdefault(key, (loss.start(), [], not loss.stateful))[1].append(r)
            else:
                groups[r] = (loss, [r], False)
        return list(groups.values())

    def train(self) -> list[Head]:
        rates = [rate(self.x.shape[1]) if job.lr is None else job.lr for job in self.fits]
        optimiser = _AdamW(self.params, torch.tensor(rates, dtype=torch.float64), self.ridge)
        for step, index in zip(range(self.steps), self._indices(), strict=False):
            torch.autograd.backward(self._loss(index, step / self.steps))
            optimiser.step(1 - step / self.steps)
        done = {k: v.detach().float().numpy() for k, v in self.params.items()}
        if not all(np.isfinite(v).all() for v in done.values()):
            raise MethodError(
                "training diverged: a head is not finite", code="diverged", hint="lower lr or check the loss"
            )
        return [
            Head(self.kind, {k: v[r].copy() for k, v in done.items()}, shift.float().numpy(), scale.float().numpy())
            for r, (shift, scale) in enumerate(zip(self.shift, self.scale, strict=True))
        ]

    def _indices(self) -> Iterator[Tensor]:
        """[R, b] positions in the rows of each fit, step by step."""
        if self.full:
            whole = pad_sequence([torch.arange(size) for size in self.sizes], batch_first=True)
            yield from (whole for _ in range(self.steps))
        streams = [_stream(len(job.rows), size, job.seed) for job, size in zip(self.fits, self.sizes, strict=True)]
        while True:
            yield pad_sequence([next(stream) for stream in streams], batch_first=True)

    def _loss(self, index: Tensor, progress: float) -> Tensor:
        """The sum over fits: their parameters are apart, so each gets the gradient of its own loss."""
        at = self.place.gather(1, index)  # [R, b]
        if self.full:
            logits = forward(self.params, self.shift, self.scale, self.x).gather(1, at)
        else:
            logits = forward(self.params, self.shift, self.scale, self.x[at])
        values = []
        for loss, members, together in self.groups:
            for chosen in [members] if together else [[r] for r in members]:
                batch = self._batch(chosen, index, at, logits, progress, bare=together)
                value = torch.as_tensor(loss(batch))
                if value.numel() != (len(chosen) if together else 1):
                    raise MethodError(f"a loss must return one number, not shape {tuple(value.shape)}", code="bad_loss")
                values.append(value.sum())
        return torch.stack(values).sum()

    def _batch(
        self, members: list[int], index: Tensor, at: Tensor, logits: Tensor, progress: float, bare: bool
    ) -> Batch:
        """What the loss of these fits sees: [R', b] in float64 for a built-in loss that serves several at once
        (`bare`), else [b] of one, in float32 as other code expects."""
        r, size = members[0], self.sizes[members[0]]
        pick = slice(None) if len(members) == len(self.fits) else torch.tensor(members)
        chosen, z = (index[pick, :size], logits[pick, :size]) if bare else (index[r, :size], logits[r, :size].float())
        rows: slice | Tensor | int = pick if bare else r
        take = partial(torch.gather, dim=-1, index=chosen)
        job = self.fits[r]
        return Batch(
            logits=z,
            target=take(self.target[rows]).to(z.dtype),
            weight=take(self.weight[rows]).to(z.dtype),
            index=chosen,
            hidden=None if bare else self._hidden(r, at[r, :size]),
            progress=progress,
            swapped=lambda: self._swapped(z),
            forward=lambda others: self._one(r, self._features_of(others)),
            unlabeled=None if bare or job.unlabeled is None else self._unlabeled(r, job.unlabeled),
        )

    def _hidden(self, r: int, at: Tensor) -> Tensor:
        if not self.full:
            return ((self.x[at] - self.shift[r]) / self.scale[r]).float()
        if r not in self.scaled:
            self.scaled[r] = ((self.x[at] - self.shift[r]) / self.scale[r]).float()
        return self.scaled[r]

    def _swapped(self, z: Tensor) -> Tensor:
        if self.kind != "pair":
            raise Unsupported("swapped() needs pairs: a single claim has no second side", hint="check task.kind")
        return -z  # heads on pairs are odd

    def _one(self, r: int, x: Tensor) -> Tensor:
        params = {k: v[r : r + 1] for k, v in self.params.items()}
        return forward(params, self.shift[r : r + 1], self.scale[r : r + 1], x)[0].float()

    def _features_of(self, rows: Rows) -> Tensor:
        if id(rows) not in self.known:  # the rows are kept with them, so that an id is not given twice
            self.known[id(rows)] = (rows, torch.from_numpy(np.asarray(self.features(rows.texts), np.float64)))
        return self.known[id(rows)][1]

    def _unlabeled(self, r: int, rows: Rows) -> Tensor:
        """Logits [b'] of as many unlabeled rows as there are rows in a step."""
        x = self._features_of(rows)
        if len(x) <= self.sizes[r]:
            return self._one(r, x)
        stream = self.free.setdefault(r, _stream(len(x), self.sizes[r], self.fits[r].seed))
        return self._one(r, x[next(stream)])


def _stream(n: int, size: int, seed: int) -> Iterator[Tensor]:
    """Batches [size] from one endless row of shuffles of range(n): every epoch sees every row once."""
    draw, left = torch.Generator().manual_seed(seed), torch.empty(0, dtype=torch.int64)
    while True:
        while len(left) < size:
            left = torch.cat([left, torch.randperm(n, generator=draw)])
        yield left[:size]
        left = left[size:]


def _padded(values: Sequence[np.ndarray], dtype: torch.dtype) -> Tensor:
    return pad_sequence([torch.as_tensor(v.copy()).to(dtype) for v in values], batch_first=True)


def _begin(fits: Sequence[Fit], starts: Sequence[Head | None], kind: Kind, shape: Shape, width: int) -> Params:
    each = []
    for job, start in zip(fits, starts, strict=True):
        params = initial(kind, shape, width, job.seed)
        if start:
            params = {k: torch.from_numpy(v) for k, v in start.params.items()}
        elif "bias" in params:  # start at the share of positives: no weight on centred features can supply it
            share = np.average(job.target, weights=_weight(job))
            params["bias"] += float(np.log((share + 0.01) / (1.01 - share)))
        each.append(params)
    return {k: torch.stack([p[k] for p in each]).double().requires_grad_() for k in each[0]}


class _AdamW:
    """AdamW (arXiv 1711.05101) with a learning rate per fit; torch's own has one for a whole stack. `ridge`: a penalty
    in the loss, on the weights alone."""

    def __init__(
        self, params: Params, rates: Tensor, ridge: float = 0.0, betas: tuple[float, float] = (0.9, 0.999)
    ) -> None:
        self.params, self.betas, self.count = list(params.values()), betas, 0
        self.ridges = [ridge if name == "weight" else 0.0 for name in params]
        self.rates = [rates.reshape(-1, *[1] * (p.dim() - 1)) for p in self.params]
        self.first = [torch.zeros_like(p) for p in self.params]
        self.second = [torch.zeros_like(p) for p in self.params]

    @torch.no_grad()
    def step(self, share: float) -> None:
        """One step at `share` of the learning rate; clears the gradients."""
        self.count += 1
        a, b = self.betas
        for p, ridge, rate, m, v in zip(self.params, self.ridges, self.rates, self.first, self.second, strict=True):
            g = (torch.zeros_like(p) if p.grad is None else p.grad) + ridge * p
            m.lerp_(g, 1 - a)
            v.mul_(b).addcmul_(g, g, value=1 - b)
            spread = (v / (1 - b**self.count)).sqrt_().add_(1e-8)
            p.mul_(1 - share * DECAY * rate).sub_(share * rate * (m / (1 - a**self.count)) / spread)
            p.grad = None
