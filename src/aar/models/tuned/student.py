"""`TunedStudent`: a language model that is finetuned, with LoRA or whole, behind the `Model` contract.

Features, scores and samples are those of the frozen model, read through the same cached store as a head's, so that a
method runs unchanged on either. Several seeds train side by side on one base.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import numpy as np

from aar.errors import MethodError, Unsupported
from aar.models import weights
from aar.models.packing import by_length
from aar.models.reading import Reading
from aar.models.tuned.rules import Tuning
from aar.types import Ability, Fit, Model, Rows

if TYPE_CHECKING:
    from torch import Tensor

    from aar.models.student import HeadStudent
    from aar.models.tuned.base import Base
    from aar.models.tuned.checkpoint import Checkpoint
    from aar.models.tuned.grpo import Grpo, Reward, Writer
    from aar.models.tuned.net import TunedNet


@dataclass
class TunedStudent(Reading):
    """`frozen` answers features, score and generate. `folder` for checkpoints: a killed `fit` goes on from there. `devices`
    to train on, if not every GPU (else the CPU). `report(step, steps, loss, tokens_s, eta_s)` hears of progress."""

    frozen: HeadStudent
    rules: Tuning = field(default_factory=Tuning)
    folder: Path | None = None
    devices: tuple[str, ...] = ()
    report: Callable[..., None] = field(default=lambda **scalars: None, repr=False)

    def __post_init__(self) -> None:
        if self.frozen.folder is None or not weights.is_causal(weights.config(self.frozen.folder)):
            raise Unsupported(
                f"{self.frozen.name} cannot be finetuned: it has no language-model head",
                hint="use a causal language model",
            )
        self.name, self.kind = f"{self.frozen.name}-{self.rules.how}", self.frozen.kind
        self.can: frozenset[Ability] = self.frozen.can | {"fit", "tune"}

    @property
    def reader(self) -> Model:
        return self.frozen

    @cached_property
    def bases(self) -> list[Base]:
        """The frozen model, once on each device; the weights are read when first used."""
        import torch

        from aar.models.tuned.base import Base

        assert self.frozen.folder is not None
        found = self.devices or tuple(f"cuda:{i}" for i in range(torch.cuda.device_count())) or ("cpu",)
        return [Base(self.frozen.folder, device, self.rules.compile) for device in found]

    @property
    def base(self) -> Base:
        """The one that predicts."""
        return self.bases[0]

    def fit(self, fits: Sequence[Fit]) -> list[Model]:
        """Trains them `Tuning.together` at a time, those of one batch size side by side, spread over the devices."""
        from aar.models.training import check

        for job in fits:
            check(job, self.kind)
        sizes: dict[tuple[int, bool], list[int]] = {}
        for i, job in enumerate(fits):
            sizes.setdefault(
                (min(job.batch_size or self.rules.batch_size, len(job.rows)), job.init is None), []
            ).append(i)
        parts = []
        for members in sizes.values():
            size = min(self.rules.together, -(-len(members) // len(self.bases)))
            parts += [members[start : start + size] for start in range(0, len(members), size)]
        kept: list[Checkpoint] = []  # of a killed fit, those that had ended are not trained again
        out: dict[int, Model] = {}
        for some, models in zip(parts, self._spread([[fits[i] for i in some] for some in parts], kept), strict=True):
            out |= dict(zip(some, models, strict=True))
        for checkpoint in kept:
            checkpoint.done()
        return [out[i] for i in range(len(fits))]

    def _spread(self, parts: Sequence[Sequence[Fit]], kept: list[Checkpoint]) -> Iterable[list[Model]]:
        """Each part on the device that is free next."""
        if len(self.bases) == 1:
            return [self._together(jobs, kept, self.base) for jobs in parts]
        free: SimpleQueue[Base] = SimpleQueue()
        for base in self.bases:
            free.put(base)

        def on_next(jobs: Sequence[Fit]) -> list[Model]:
            base = free.get()
            try:
                return self._together(jobs, kept, base)
            finally:
                free.put(base)

        with ThreadPoolExecutor(len(self.bases)) as pool:
            return list(pool.map(on_next, parts))

    def _together(self, jobs: Sequence[Fit], kept: list[Checkpoint], base: Base) -> list[Model]:
        import torch

        from aar.models.tuned.checkpoint import Checkpoint, key
        from aar.models.tuned.loop import train

        starts = [self._start(job) for job in jobs]
        start = None
        if None not in starts:
            start = {k: torch.cat([s[k] for s in starts if s]).to(base.device) for k in starts[0] or {}}
        checkpoint = Checkpoint(self.folder, key(weights.identity(base.folder), jobs, self.rules))
        kept.append(checkpoint)
        trained = train(base, jobs, self.kind, self.rules, start, checkpoint, self.report)
        return [TunedModel(self, {k: v.to(self.base.device) for k, v in w.items()}) for w in trained]

    def _start(self, job: Fit) -> dict[str, Tensor] | None:
        if job.init is None or job.init is self:
            return None
        if not isinstance(job.init, TunedModel):
            raise Unsupported(
                "Fit.init must be a model that this student trained", hint="pass a result of fit or freeze"
            )
        return job.init.weights

    def predict(self, rows: Rows) -> np.ndarray:
        raise Unsupported(f"{self.name} is not trained yet", hint="model = student.fit([Fit(rows, target)])[0]")

    def open(self, seed: int = 0) -> TunedNet:
        from aar.models.tuned.loop import initial
        from aar.models.tuned.net import TunedNet

        return TunedNet(self, initial(self.base, [seed], self.rules), seed)

    def reinforce(self, prompts: Sequence[str], reward: Reward, rules: Grpo, seed: int = 0) -> Writer:
        """The student, rewarded for what it writes; see `grpo`."""
        from aar.models.tuned.grpo import reinforce

        return reinforce(self, prompts, reward, rules, seed)


class TunedModel(Reading):
    """A finetuned student: `predict` works, and `fit` and `open` go on from it. weights: [1, ...] each."""

    def __init__(self, student: TunedStudent, weights: dict[str, Tensor]) -> None:
        self.student, self.weights = student, weights
        self.name, self.can, self.kind = student.name, student.can, student.kind

    @property
    def reader(self) -> Model:
        return self.student

    def predict(self, rows: Rows) -> np.ndarray:
        """f32 [n]: P(label = 1)."""
        return (1 / (1 + np.exp(-self.logits(rows).astype(np.float64)))).astype(np.float32)

    def logits(self, rows: Rows) -> np.ndarray:
        """f32 [n]: log-odds of label = 1."""
        import torch

        from aar.models.tuned.loop import applied

        base, rules = self.student.base, self.student.rules
        if rows.kind != self.kind:
            raise MethodError(f"{self.name} reads {self.kind} rows here", hint="use the rows of this task")
        ids, out, tokens = base.encode(rows.texts), np.empty(len(rows), np.float32), base.most(rules.tokens)
        while True:
            try:
                with torch.inference_mode(), applied(base, self.weights, rules):
                    for index in by_length(ids, tokens):
                        states = base.states([ids[i] for i in index])
                        out[index] = base.logits(states, self.kind).cpu().numpy()
                return out
            except torch.OutOfMemoryError:
                tokens = base.shrunk(tokens, max(map(len, ids)))

    def fit(self, fits: Sequence[Fit]) -> list[Model]:
        return self.student.fit([job if job.init else replace(job, init=self) for job in fits])

    def open(self, seed: int = 0) -> TunedNet:
        from aar.models.tuned.net import TunedNet

        return TunedNet(self.student, self.weights, seed)
