"""The vocabulary of the method contract: rows in, predictions out, models in between.

A method is a folder with a `method.py` that holds `run(task: Task) -> Predictions`. Nothing here touches a
file, a label store or a network; sandboxes mount this module, so it must stay free of secrets and side effects.

Units: probabilities are of label = 1, which means "the second response is better" (pair) or "the answer is
true" (binary). n rows, d feature width, k votes or completions, b batch. Arrays are numpy float32 unless said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np

from aar.errors import MethodError, Unsupported

if TYPE_CHECKING:
    import torch

Kind = Literal["pair", "binary"]
Side = Literal["diff", "first", "second"]
Ability = Literal["features", "score", "generate", "fit", "tune"]  # tune: `open` trains the body, not a head alone
Loss = str | Callable[["Batch"], "torch.Tensor"]


class Pair(NamedTuple):
    """One comparison: which of two responses to the prompt is better?"""

    prompt: str
    first: str
    second: str

    @property
    def question(self) -> str:
        return self.prompt


class Claim(NamedTuple):
    """One verification: is this answer to the question true?"""

    question: str
    choice: str


Text = Pair | Claim


def group_of(text: Text) -> str:
    """Hash of the question: rows with the same group never straddle splits."""
    return hashlib.sha256(text.question.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Rows:
    """n rows, joined with everything else by `ids`, never by position.

    weak [n]: the teacher's P(label = 1) of this run's seed, None on test rows. votes [n, k]: the same from k
    teachers, None unless the problem has several. truth [n]: gold labels, only where a problem grants them.
    """

    kind: Kind
    ids: tuple[str, ...]
    texts: tuple[Text, ...]
    weak: np.ndarray | None = None
    votes: np.ndarray | None = None
    truth: np.ndarray | None = None

    def __post_init__(self) -> None:
        n = len(self.ids)
        for name in ("texts", "weak", "votes", "truth"):
            value = getattr(self, name)
            if value is not None and len(value) != n:
                raise MethodError(f"Rows.{name} has {len(value)} entries for {n} ids", code="bad_rows")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def group(self) -> np.ndarray:
        """[n] str: hash of each row's question."""
        return np.array([group_of(t) for t in self.texts])

    def take(self, index: Sequence[int] | np.ndarray) -> Rows:
        """The rows at these positions (integers or a boolean mask), in that order."""
        index = np.asarray(index)
        index = np.flatnonzero(index) if index.dtype == bool else index.astype(int)
        cut = {k: v[index] for k in ("weak", "votes", "truth") if (v := getattr(self, k)) is not None}
        ids, texts = tuple(self.ids[i] for i in index), tuple(self.texts[i] for i in index)
        return replace(self, ids=ids, texts=texts, **cut)

    def swap(self) -> Rows:
        """The same rows with first and second exchanged and every label turned round (pairs only)."""
        if self.kind != "pair":
            raise Unsupported("swap() needs pairs: a single claim has no second side", hint="check task.kind")
        texts = tuple(Pair(t.prompt, t.second, t.first) for t in self.texts)  # type: ignore[union-attr]
        turned = {k: 1 - v for k in ("weak", "votes", "truth") if (v := getattr(self, k)) is not None}
        return replace(self, texts=texts, **turned)

    def with_weak(self, weak: np.ndarray) -> Rows:
        return replace(self, weak=np.asarray(weak, dtype=np.float32))


@dataclass(frozen=True)
class Predictions:
    """What a method returns: one P(label = 1) in [0, 1] for every id of `task.test`, in any order."""

    ids: tuple[str, ...]
    p: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", tuple(self.ids))
        object.__setattr__(self, "p", np.asarray(self.p, dtype=np.float64).reshape(-1))

    def aligned(self, ids: Sequence[str]) -> np.ndarray:
        """p in the order of `ids` [n]. Raises MethodError naming the rule that is broken."""
        if len(self.ids) != len(self.p):
            raise MethodError(f"{len(self.ids)} ids but {len(self.p)} probabilities", code="length_mismatch")
        where = {id_: i for i, id_ in enumerate(self.ids)}
        if len(where) != len(self.ids):
            raise MethodError("some ids appear twice; every id must appear exactly once", code="duplicate_ids")
        if missing := [i for i in ids if i not in where]:
            raise MethodError(f"{len(missing)} of {len(ids)} ids are missing", code="missing_ids")
        if len(where) > len(ids):
            raise MethodError(f"{len(where) - len(ids)} ids are not in task.test", code="unknown_ids")
        p = self.p[[where[i] for i in ids]]
        if not np.isfinite(p).all():
            raise MethodError(f"{int((~np.isfinite(p)).sum())} predictions are NaN or infinite", code="not_finite")
        if p.min() < 0 or p.max() > 1:
            raise MethodError("predictions must be probabilities in [0, 1]", code="out_of_range")
        return p


@dataclass
class Batch:
    """What a loss sees: one step of one fit. `logits` carries the gradient; a loss returns a scalar tensor."""

    logits: torch.Tensor  # [b]
    target: torch.Tensor  # [b] in [0, 1]
    weight: torch.Tensor  # [b]
    index: torch.Tensor  # [b] int64, positions in Fit.rows
    hidden: torch.Tensor | None  # [b, d]
    progress: float  # in [0, 1]: share of the training done
    swapped: Callable[[], torch.Tensor] = field(repr=False)  # logits of the swapped rows [b] (pairs)
    forward: Callable[[Rows], torch.Tensor] = field(repr=False)  # logits [m] of other rows, with gradient
    unlabeled: torch.Tensor | None = None  # logits [..., b'] of a batch of Fit.unlabeled


@dataclass(frozen=True)
class Fit:
    """One training job. `fit` takes many, so that seeds, folds and ensembles run as one batch."""

    rows: Rows
    target: np.ndarray  # [n] in [0, 1]
    weight: np.ndarray | None = None  # [n] >= 0
    loss: Loss = "xent"
    seed: int = 0
    init: Model | None = None
    unlabeled: Rows | None = None
    epochs: int | None = None  # None: the student's default
    lr: float | None = None
    batch_size: int | None = None


@runtime_checkable
class Net(Protocol):
    """A trainable copy of a model, for methods with their own loop. Duck-types a torch module."""

    def logits(self, rows: Rows) -> torch.Tensor: ...
    def hidden(self, rows: Rows) -> torch.Tensor: ...
    def logprob(self, prompts: Sequence[str], completions: Sequence[Sequence[str]]) -> torch.Tensor: ...
    def parameters(self) -> Iterator[torch.Tensor]: ...
    def get_vector(self) -> np.ndarray: ...
    def set_vector(self, vector: np.ndarray) -> None: ...
    def batches(self, rows: Rows, batch_size: int = 32) -> Iterator[tuple[Rows, np.ndarray]]: ...
    def freeze(self) -> Model: ...


@runtime_checkable
class Model(Protocol):
    """A student, a weak model, or a trained head. `can` says which of the calls below work; the others raise
    `Unsupported`, and the run is reported as "not run on this student", never emulated."""

    @property
    def name(self) -> str: ...
    @property
    def can(self) -> frozenset[Ability]: ...
    def features(self, rows: Rows, layer: int | None = None, side: Side = "diff") -> np.ndarray: ...
    def score(self, prompts: Sequence[str], completions: Sequence[Sequence[str]]) -> np.ndarray: ...
    def generate(
        self, prompts: Sequence[str], n: int = 1, temperature: float = 1.0, max_tokens: int = 64, seed: int = 0
    ) -> list[list[str]]: ...
    def predict(self, rows: Rows) -> np.ndarray: ...
    def fit(self, fits: Sequence[Fit]) -> list[Model]: ...
    def open(self, seed: int = 0) -> Net: ...


@dataclass(frozen=True)
class Task:
    """Everything a method gets. `deadline_s`: seconds this run may take; `log(**scalars)`: progress, kept."""

    name: str
    kind: Kind
    seed: int
    train: Rows
    test: Rows
    student: Model
    params: dict[str, Any] = field(default_factory=dict)
    labelled: Rows | None = None
    weak_model: Model | None = None
    ladder: tuple[Model, ...] = ()
    deadline_s: float = 600.0
    log: Callable[..., None] = field(default=lambda **scalars: None, repr=False)


@dataclass(frozen=True)
class NotScored:
    """The place of a score where none can be given; never a number, never null-as-zero."""

    reason: str
