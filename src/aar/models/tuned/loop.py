"""Train adapters (or all weights) on several fits in lockstep, one frozen base under them.

A step sees a batch of each fit, split into micro-batches of rows of alike length that fit into `Tuning.tokens`. Where
the loss is a mean of single rows, gradients add up over micro-batches. Any other loss (a class threshold, a function of
the user's) needs all rows at once: their states are computed without gradient, the loss is taken on them, and each
micro-batch is run again to carry the gradient on (GradCache, arXiv 2101.06983). Both give the gradient of the whole batch.

R lanes (fits at work), b rows of a batch, d width.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from aar.errors import MethodError, Unsupported
from aar.models import losses
from aar.models.tuned import full, lora
from aar.models.tuned.base import Base
from aar.models.tuned.checkpoint import Checkpoint
from aar.models.tuned.optim import LaneAdamW
from aar.models.tuned.rules import Tuning
from aar.types import Batch, Fit, Kind, Rows

Weights = dict[str, Tensor]
Log = Callable[..., None]
ROW_BY_ROW = {
    "xent",
    "entropy",
    "product",
    "reverse_kl",
    "reverse_ce",
    "gce",
    "sce",
    "bootstrap_soft",
    "bootstrap_hard",
}
log = logging.getLogger(__name__)


def applied(base: Base, weights: Weights, rules: Tuning) -> AbstractContextManager[None]:
    """The base with these weights, for the length of a `with`."""
    return lora.applied(base, weights, rules.scale) if rules.how == "lora" else full.applied(base, weights)


def initial(base: Base, seeds: Sequence[int], rules: Tuning) -> Weights:
    return lora.initial(base, seeds, rules.rank) if rules.how == "lora" else full.initial(base, seeds)


@dataclass
class Lane:
    """One fit: its tokens, targets and weights, the loss with its state, the length of its training."""

    job: Fit
    ids: list[list[int]]
    target: Tensor
    weight: Tensor
    loss: losses.Step
    size: int
    steps: int
    rate: float
    row_by_row: bool  # the loss is a weighted mean over rows

    @classmethod
    def of(cls, base: Base, job: Fit, rules: Tuning) -> Lane:
        n, size = len(job.rows), min(job.batch_size or rules.batch_size, len(job.rows))
        loss = losses.resolve(job.loss)
        ready = loss.start() if isinstance(loss, losses.NamedLoss) else loss
        steps = max(1, math.ceil((rules.epochs if job.epochs is None else job.epochs) * n / size))
        weight = np.ones(n) if job.weight is None else np.asarray(job.weight)
        target, weights = (torch.as_tensor(np.asarray(a, np.float32), device=base.device) for a in (job.target, weight))
        row_by_row = isinstance(loss, losses.NamedLoss) and loss.name in ROW_BY_ROW
        ids, rate = base.encode(job.rows.texts), rules.lr if job.lr is None else job.lr
        return cls(job, ids, target, weights, ready, size, steps, rate, row_by_row)

    def batches(self) -> Iterator[np.ndarray]:
        """Positions [b], endless; every epoch sees every row once, in the order of the seed."""
        draw, left = np.random.default_rng(self.job.seed), np.empty(0, int)
        while True:
            while len(left) < self.size:
                left = np.concatenate([left, draw.permutation(len(self.ids))])
            yield left[: self.size]
            left = left[self.size :]


def train(
    base: Base,
    jobs: Sequence[Fit],
    kind: Kind,
    rules: Tuning,
    start: Weights | None = None,
    checkpoint: Checkpoint | None = None,
    report: Log = lambda **scalars: None,
) -> list[Weights]:
    """The weights of each fit, [1, ...] each. All jobs have the same batch size. `report(step, steps, loss, tokens_s, eta_s)`."""
    lanes = [Lane.of(base, job, rules) for job in jobs]
    return _Training(base, lanes, kind, rules, start, checkpoint or Checkpoint(None, None), report).run()


class _Training:
    def __init__(
        self,
        base: Base,
        lanes: list[Lane],
        kind: Kind,
        rules: Tuning,
        start: Weights | None,
        checkpoint: Checkpoint,
        report: Log,
    ) -> None:
        self.base, self.lanes, self.kind, self.rules = base, lanes, kind, rules
        self.checkpoint, self.report, self.tokens = checkpoint, report, base.most(rules.tokens)
        self.live = list(range(len(lanes)))
        self.done: dict[int, Weights] = {}
        weights = start or initial(base, [lane.job.seed for lane in lanes], rules)
        self.weights: Weights = {k: v.clone().requires_grad_() for k, v in weights.items()}
        self.optimiser = LaneAdamW(self.weights, rules)
        self.streams = [lane.batches() for lane in lanes]
        self.recompute, self.read = False, 0

    def run(self) -> list[Weights]:
        first, began, saved = self._resume(), time.monotonic(), time.monotonic()
        steps = max(lane.steps for lane in self.lanes)
        for step in range(first, steps):
            value = self._step([next(self.streams[r]) for r in self.live], step)
            lanes = [self.lanes[r] for r in self.live]
            rates, totals = (
                torch.tensor(x, device=self.base.device)
                for x in ([lane.rate for lane in lanes], [float(lane.steps) for lane in lanes])
            )
            self.optimiser.step(step, rates, totals)
            self._retire(step + 1)
            spent = time.monotonic() - began
            self.report(
                step=step + 1,
                steps=steps,
                loss=round(value, 5),
                tokens_s=round(self.read / max(spent, 1e-9)),
                eta_s=round(spent / (step + 1 - first) * (steps - step - 1), 1),
            )
            if time.monotonic() - saved > self.rules.save_s or step + 1 == steps:
                self._save(step + 1)
                saved = time.monotonic()
        return [self.done[r] for r in range(len(self.lanes))]

    # -- one step

    def _step(self, picked: list[np.ndarray], step: int) -> float:
        """The summed loss; gradients are left on the weights. Memory that runs out makes smaller micro-batches."""
        while True:
            try:
                with applied(self.base, self.weights, self.rules):
                    return float(self._gradients(picked, step))  # the one wait for the device in a step
            except torch.OutOfMemoryError:
                self._shrink()

    def _shrink(self) -> None:
        for weight in self.weights.values():
            weight.grad = None
        longest = max(len(i) for lane in self.lanes for i in lane.ids) * len(self.live)
        if self.tokens > longest or self.recompute:
            self.tokens = self.base.shrunk(self.tokens, longest)
        else:
            self.recompute = True
            torch.cuda.empty_cache()
        log.warning(
            "out of memory: now %d tokens a pass%s", self.tokens, ", activations recomputed" if self.recompute else ""
        )

    def _gradients(self, picked: list[np.ndarray], step: int) -> Tensor:
        lengths = [np.array([len(self.lanes[r].ids[i]) for i in p]) for r, p in zip(self.live, picked, strict=True)]
        rows = [p[np.argsort(-n, kind="stable")] for p, n in zip(picked, lengths, strict=True)]  # [R][b], longest first
        parts = list(self._micro(rows))
        if len(parts) == 1:
            return self._backward(self._states(rows), rows, step)
        if all(self.lanes[r].row_by_row for r in self.live):
            cuts = [[x[p] for x in rows] for p in parts]
            return torch.stack([self._backward(self._states(cut), cut, step, of=rows) for cut in cuts]).sum()
        with torch.no_grad():
            states = torch.cat([self._states([x[p] for x in rows]) for p in parts], 1)
        states.requires_grad_()
        value = self._backward(states, rows, step)
        assert states.grad is not None
        for p in parts:
            self._states([x[p] for x in rows]).backward(states.grad[:, p])
        return value

    def _micro(self, rows: list[np.ndarray]) -> Iterator[slice]:
        """Cuts of the b columns so that lanes x rows x longest stays within `tokens`."""
        lengths = np.array([[len(self.lanes[r].ids[i]) for i in x] for r, x in zip(self.live, rows, strict=True)]).max(
            0
        )
        start = 0
        while start < len(lengths):
            count = max(1, self.tokens // int(lengths[start] * len(rows)))
            yield slice(start, start + count)
            start += count

    def _states(self, rows: list[np.ndarray]) -> Tensor:
        """[R, b, d] of these positions of each lane."""
        ids = [self.lanes[r].ids[i] for r, x in zip(self.live, rows, strict=True) for i in x]
        self.read += sum(map(len, ids))
        if self.recompute and torch.is_grad_enabled():
            with self.base.recomputed():
                states = self.base.states(ids)
        else:
            states = self.base.states(ids)
        return states.reshape(len(rows), -1, states.shape[-1])

    def _backward(
        self, states: Tensor, rows: list[np.ndarray], step: int, of: list[np.ndarray] | None = None
    ) -> Tensor:
        """Takes the losses of all lanes on these states and carries the gradient back. `of`: the whole batches that these
        rows are a part of, whose weight they share."""
        total = torch.zeros((), device=self.base.device)
        for place, (r, index) in enumerate(zip(self.live, rows, strict=True)):
            lane = self.lanes[r]
            value = torch.as_tensor(lane.loss(self._batch(lane, place, states[place], index, step)))
            if value.numel() != 1:
                raise MethodError(f"a loss must return one number, not shape {tuple(value.shape)}", code="bad_loss")
            share = lane.weight[index].sum() / lane.weight[of[place]].sum().clamp_min(1e-12) if of else 1.0
            total = total + value.squeeze() * share
        total.backward()
        return total.detach()

    def _batch(self, lane: Lane, place: int, states: Tensor, index: np.ndarray, step: int) -> Batch:
        def forward(rows: Rows) -> Tensor:
            with applied(self.base, lora.lane(self.weights, place), self.rules):
                return self.base.logits(self.base.states(self.base.encode(rows.texts)), self.kind)

        def swapped() -> Tensor:
            if self.kind != "pair":
                raise Unsupported("swapped() needs pairs: a single claim has no second side", hint="check task.kind")
            return forward(lane.job.rows.take(index).swap())

        free = lane.job.unlabeled
        some = (
            None
            if free is None
            else free.take(np.random.default_rng([lane.job.seed, step]).permutation(len(free))[: lane.size])
        )
        return Batch(
            logits=self.base.logits(states, self.kind),
            target=lane.target[index],
            weight=lane.weight[index],
            index=torch.as_tensor(index, device=self.base.device),
            hidden=states,
            progress=step / lane.steps,
            swapped=swapped,
            forward=forward,
            unlabeled=None if some is None else forward(some),
        )

    # -- lanes that end, state that is kept

    def _retire(self, step: int) -> None:
        """Lanes that have taken all their steps leave with their weights."""
        for place, r in enumerate(self.live):
            if self.lanes[r].steps <= step:
                self.done[r] = {k: v.detach()[place : place + 1].clone() for k, v in self.weights.items()}
                if not all(v.isfinite().all() for v in self.done[r].values()):
                    raise MethodError(
                        "training diverged: a weight is not finite", code="diverged", hint="lower lr or check the loss"
                    )
        stay = [i for i, r in enumerate(self.live) if r not in self.done]
        if 0 < len(stay) < len(self.live):
            self.optimiser.keep(stay)
        self.live = [self.live[i] for i in stay]

    def _save(self, step: int) -> None:
        done: dict[str, MutableMapping[str, Tensor]] = {f"done{r}": w for r, w in self.done.items()}
        self.checkpoint.save(step, done | (self._state() if self.live else {}))

    def _state(self) -> dict[str, MutableMapping[str, Tensor]]:
        return {"weights": self.weights, "first": self.optimiser.first, "second": self.optimiser.second}

    def _resume(self) -> int:
        """How many steps a killed training had taken; its state is in place then."""
        found = self.checkpoint.load(self.base.device)
        if not found:
            return 0
        step, parts = found
        self.done = {r: parts[f"done{r}"] for r in self.live if f"done{r}" in parts}
        self.live = [r for r in self.live if r not in self.done]
        for part, store in self._state().items() if self.live else ():
            store.update({k: v.requires_grad_(part == "weights") for k, v in parts[part].items()})
        for r in self.live:
            for _ in range(step):
                next(self.streams[r])
        return step
