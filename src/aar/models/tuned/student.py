"""`TunedStudent`: a language model that is finetuned, with LoRA or whole, behind the `Model` contract.

Features, scores and samples are those of the frozen model, read through the same cached store as a head's, so that a
method runs unchanged on either. Several seeds train side by side on one base.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aar.errors import MethodError, Unsupported
from aar.models import weights
from aar.models.tuned.rules import Tuning
from aar.types import Ability, Fit, Model, Rows, Side

if TYPE_CHECKING:
    from torch import Tensor

    from aar.models.student import HeadStudent
    from aar.models.tuned.base import Base
    from aar.models.tuned.checkpoint import Checkpoint
    from aar.models.tuned.grpo import Grpo, Reward, Writer
    from aar.models.tuned.net import TunedNet


@dataclass
class TunedStudent:
    """`frozen` answers features, score and generate. `folder` for checkpoints: a killed `fit` goes on from there.
    `report(step, steps, loss, tokens_s, eta_s)` hears of progress."""

    frozen: HeadStudent
    rules: Tuning = field(default_factory=Tuning)
    folder: Path | None = None
    device: str | None = None
    report: Callable[..., None] = field(default=lambda **scalars: None, repr=False)

    def __post_init__(self) -> None:
        if self.frozen.folder is None or not weights.is_causal(weights.config(self.frozen.folder)):
            raise Unsupported(
                f"{self.frozen.name} cannot be finetuned: it has no language-model head",
                hint="use a causal language model",
            )
        self.name, self.kind = f"{self.frozen.name}-{self.rules.how}", self.frozen.kind
        self.can: frozenset[Ability] = self.frozen.can | {"fit", "tune"}

    @cached_property
    def base(self) -> Base:
        from aar.models.tuned.base import Base

        assert self.frozen.folder is not None
        return Base(self.frozen.folder, self.device)

    def fit(self, fits: Sequence[Fit]) -> list[Model]:
        """Trains them `Tuning.together` at a time, those of one batch size side by side."""
        from aar.models.training import check

        for job in fits:
            check(job, self.kind)
        sizes: dict[tuple[int, bool], list[int]] = {}
        for i, job in enumerate(fits):
            sizes.setdefault(
                (min(job.batch_size or self.rules.batch_size, len(job.rows)), job.init is None), []
            ).append(i)
        out: dict[int, Model] = {}
        kept: list[Checkpoint] = []  # of a killed fit, those that had ended are not trained again
        for members in sizes.values():
            for start in range(0, len(members), self.rules.together):
                some = members[start : start + self.rules.together]
                out |= dict(zip(some, self._together([fits[i] for i in some], kept), strict=True))
        for checkpoint in kept:
            checkpoint.done()
        return [out[i] for i in range(len(fits))]

    def _together(self, jobs: Sequence[Fit], kept: list[Checkpoint]) -> list[Model]:
        import torch

        from aar.models.tuned.checkpoint import Checkpoint, key
        from aar.models.tuned.loop import train

        starts = [self._start(job) for job in jobs]
        start = None if None in starts else {k: torch.cat([s[k] for s in starts if s]) for k in starts[0] or {}}
        kept.append(Checkpoint(self.folder, key(weights.identity(self.base.folder), jobs, self.rules)))
        trained = train(self.base, jobs, self.kind, self.rules, start, kept[-1], self.report)
        return [TunedModel(self, w) for w in trained]

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

    def features(self, rows: Rows, layer: int | None = None, side: Side = "diff") -> np.ndarray:
        return self.frozen.features(rows, layer, side)

    def score(self, prompts: Sequence[str], completions: Sequence[Sequence[str]]) -> np.ndarray:
        return self.frozen.score(prompts, completions)

    def generate(
        self, prompts: Sequence[str], n: int = 1, temperature: float = 1.0, max_tokens: int = 64, seed: int = 0
    ) -> list[list[str]]:
        return self.frozen.generate(prompts, n, temperature, max_tokens, seed)


class TunedModel:
    """A finetuned student: `predict` works, and `fit` and `open` go on from it. weights: [1, ...] each."""

    def __init__(self, student: TunedStudent, weights: dict[str, Tensor]) -> None:
        self.student, self.weights = student, weights
        self.name, self.can, self.kind = student.name, student.can, student.kind

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
        ids, out = base.encode(rows.texts), np.empty(len(rows), np.float32)
        with torch.inference_mode(), applied(base, self.weights, rules):
            for index in by_length([len(i) for i in ids], rules.tokens):
                states = base.states([ids[i] for i in index])
                out[index] = base.logits(states, self.kind).cpu().numpy()
        return out

    def fit(self, fits: Sequence[Fit]) -> list[Model]:
        return self.student.fit([job if job.init else replace(job, init=self) for job in fits])

    def open(self, seed: int = 0) -> TunedNet:
        from aar.models.tuned.net import TunedNet

        return TunedNet(self.student, self.weights, seed)

    def features(self, rows: Rows, layer: int | None = None, side: Side = "diff") -> np.ndarray:
        return self.student.features(rows, layer, side)

    def score(self, prompts: Sequence[str], completions: Sequence[Sequence[str]]) -> np.ndarray:
        return self.student.score(prompts, completions)

    def generate(
        self, prompts: Sequence[str], n: int = 1, temperature: float = 1.0, max_tokens: int = 64, seed: int = 0
    ) -> list[list[str]]:
        return self.student.generate(prompts, n, temperature, max_tokens, seed)


def by_length(lengths: Sequence[int], tokens: int) -> list[list[int]]:
    """Positions in batches of alike length whose padded size stays within `tokens`, the longest first."""
    order, out = sorted(range(len(lengths)), key=lambda i: -lengths[i]), []
    while order:
        count = max(1, tokens // max(1, lengths[order[0]]))
        out.append(order[:count])
        order = order[count:]
    return out
