"""`HeadStudent`: the Model of the method contract on stored features of a frozen language model.

Its `fit` trains heads side by side and answers `TrainedHead`s; `open` gives a `HeadNet` for own loops. Where the
folder of the language model is visible it also scores and generates (loaded at the first call). Knows nothing of
labels, problems or where features come from: a store is anything with `get(texts, layer, pooling)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from aar.errors import MethodError, Unsupported
from aar.models import texts, weights
from aar.models.reading import Reading
from aar.types import Ability, Fit, Kind, Model, Rows, Side, Text

if TYPE_CHECKING:
    from aar.models.frozen import FrozenLM
    from aar.models.heads import Head, Shape
    from aar.models.net import HeadNet
    from aar.models.scores import ScoreStore


class Store(Protocol):
    """What a student reads: features.FeatureStore, or a fake with the same two."""

    @property
    def width(self) -> int: ...

    def get(self, texts: Sequence[str], layer: int, pooling: str = ...) -> np.ndarray: ...


class HeadStudent:
    """A strong model whose body is frozen. `layer` and `pooling` are the problem's; `can` grows with `folder`."""

    def __init__(
        self,
        store: Store,
        name: str,
        kind: Kind,
        layer: int,
        pooling: str = "mean",
        folder: Path | None = None,
        shape: Shape = "linear",
        ridge: float | None = None,
        scores: ScoreStore | None = None,
    ) -> None:
        self.scores = scores
        self.store, self.name, self.kind, self.layer, self.pooling = store, name, kind, layer, pooling
        self.folder, self.shape, self.ridge = Path(folder) if folder else None, shape, ridge
        abilities: set[Ability] = {"features", "fit"}
        if self.folder and weights.is_causal(weights.config(self.folder)):
            abilities |= {"score", "generate"}
        self.can: frozenset[Ability] = frozenset(abilities)

    def features(self, rows: Rows, layer: int | None = None, side: Side = "diff") -> np.ndarray:
        """f32 [n, d] at `layer` (default: the problem's). Pairs: h(second) - h(first), or one side; claims: h."""
        return self.read(rows.texts, layer, side)

    def at(self, layer: int, pooling: str | None = None) -> HeadStudent:
        """The same student, its heads reading another layer."""
        return HeadStudent(
            self.store,
            self.name,
            self.kind,
            layer,
            pooling or self.pooling,
            self.folder,
            self.shape,
            self.ridge,
            self.scores,
        )

    def read(self, rows: Sequence[Text], layer: int | None = None, side: Side = "diff") -> np.ndarray:
        """`features` of bare texts."""
        read, at = [texts.of(row) for row in rows], self.layer if layer is None else layer
        if any(len(r) != (2 if self.kind == "pair" else 1) for r in read):
            raise MethodError(f"{self.name} reads {self.kind} rows here", hint="use the rows of this task")
        if self.kind == "pair" and side == "diff":
            return self._get(read, 1, at) - self._get(read, 0, at)
        if self.kind == "binary" and side != "diff":
            raise Unsupported(f"side={side!r} needs pairs: a claim has one text", hint="leave side at its default")
        return self._get(read, 1 if side == "second" else 0, at)

    def _get(self, read: Sequence[tuple[str, ...]], which: int, layer: int) -> np.ndarray:
        return self.store.get([r[which] for r in read], layer, self.pooling)

    def fit(self, fits: Sequence[Fit]) -> list[Model]:
        """Trains all of them side by side; see `training` for the defaults."""
        from aar.models.training import fit

        starts = [self._start(job) for job in fits]
        return [TrainedHead(self, head) for head in fit(fits, self.read, self.kind, self.shape, starts, self.ridge)]

    def _start(self, job: Fit) -> Head | None:
        if job.init is None or job.init is self:
            return None
        if not isinstance(job.init, TrainedHead):
            raise Unsupported(
                "Fit.init must be a head that this student trained", hint="pass a result of fit or freeze"
            )
        return job.init.head

    def predict(self, rows: Rows) -> np.ndarray:
        raise Unsupported(f"{self.name} is not trained yet", hint="model = student.fit([Fit(rows, target)])[0]")

    def open(self, seed: int = 0) -> HeadNet:
        from aar.models.net import HeadNet

        return HeadNet(self, seed)

    # -- the language model itself

    @cached_property
    def lm(self) -> FrozenLM:
        from aar.models.frozen import FrozenLM

        assert self.folder is not None
        return FrozenLM(self.name, self.folder)

    def _need(self, ability: Ability) -> None:
        if ability not in self.can:
            raise Unsupported(f"{self.name} cannot {ability} here", hint=f"it can: {', '.join(sorted(self.can))}")

    def score(self, prompts: Sequence[str], completions: Sequence[Sequence[str]]) -> np.ndarray:
        """f32 [n, k]: log-probability of each completion given its prompt. What is in the score store costs nothing."""
        self._need("score")
        if self.scores is None:
            return self.lm.score(prompts, completions)
        return self.scores.score(prompts, completions, lambda p, c: self.lm.score(p, c))

    def generate(
        self, prompts: Sequence[str], n: int = 1, temperature: float = 1.0, max_tokens: int = 64, seed: int = 0
    ) -> list[list[str]]:
        """[len(prompts)][n] continuations."""
        self._need("generate")
        return self.lm.generate(prompts, n, temperature, max_tokens, seed)


class TrainedHead(Reading):
    """A student with a head: `predict` works, and `fit` and `open` go on from this head."""

    def __init__(self, student: HeadStudent, head: Head) -> None:
        self.student, self.head = student, head
        self.name, self.can = student.name, student.can

    @property
    def reader(self) -> HeadStudent:
        return self.student

    def predict(self, rows: Rows) -> np.ndarray:
        """f32 [n]: P(label = 1)."""
        return (1 / (1 + np.exp(-self.logits(rows).astype(np.float64)))).astype(np.float32)

    def logits(self, rows: Rows) -> np.ndarray:
        """f32 [n]: log-odds of label = 1."""
        return self.head.logits(self.student.read(rows.texts))

    def fit(self, fits: Sequence[Fit]) -> list[Model]:
        return self.student.fit([job if job.init is not None else replace(job, init=self) for job in fits])

    def open(self, seed: int = 0) -> HeadNet:
        from aar.models.net import HeadNet

        return HeadNet(self.student, seed, self.head)
