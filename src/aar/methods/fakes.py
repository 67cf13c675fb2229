"""Synthetic tasks on which every method runs in a moment: arrays in, a `Task` out, on a student without a language model.

    task = task_of(x, weak, x_test)              # your own world: features [n, d], the teacher's P(label = 1), test features
    task, truth = toy_task("pair")               # a little of everything a method can ask for

A world for a method's assumption is a few lines of numpy around `task_of`. Nothing here knows a problem or a lab.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aar.models.heads import Shape
from aar.models.student import HeadStudent
from aar.models.texts import of as rendered
from aar.types import Ability, Claim, Fit, Kind, Model, Pair, Rows, Task, Text

LAYER = 1
ANSWER = re.compile(r"<\w+\.(?:first|second)>")  # how `rows_of` names the sides of a row


class WorldStore:
    """Rendered text -> f32 [d], as given; every layer and pooling is the same. Another text reads like the longest known one
    it begins with, changed a little by its own letters."""

    def __init__(self, width: int) -> None:
        self.width, self.known = width, dict[str, np.ndarray]()

    def get(self, texts: Sequence[str], layer: int, pooling: str = "mean") -> np.ndarray:
        return np.array([self._read(t) for t in texts], np.float32).reshape(len(texts), self.width)

    def _read(self, text: str) -> np.ndarray:
        if text in self.known:
            return self.known[text]
        start = max((t for t in self.known if text.startswith(t)), key=len, default="")
        letters = np.random.default_rng(list(hashlib.sha256(text.encode()).digest()))
        return self.known.get(start, np.zeros(self.width)) + 0.3 * letters.normal(size=self.width)


class FakeStudent(HeadStudent):
    """Heads on given features. With `opinions` (answer text -> how much it likes that answer, in log-odds) it also
    scores and generates: it compares the last two answers that a prompt names, or judges the last one. epochs: its
    default in place of a head's 120, where many methods must run in a moment."""

    def __init__(
        self,
        store: WorldStore,
        kind: Kind,
        opinions: dict[str, float] | None = None,
        shape: Shape = "linear",
        ridge: float | None = None,
        epochs: int | None = None,
    ) -> None:
        super().__init__(store, "fake", kind, LAYER, shape=shape, ridge=ridge)
        self.epochs = epochs
        self.opinions = opinions or {}
        can: set[Ability] = {"features", "fit", *(("score", "generate") if opinions else ())}  # type: ignore[arg-type]
        self.can = frozenset(can)

    def at(self, layer: int, pooling: str | None = None) -> FakeStudent:
        return self

    def fit(self, fits: Sequence[Fit]) -> list[Model]:
        return super().fit([replace(f, epochs=self.epochs if f.epochs is None else f.epochs) for f in fits])

    def margin(self, prompt: str) -> float:
        """log-odds of label 1: the last of the two answers is better, or the last answer is true. A little noise that
        depends on every letter of the prompt stands for what wording does to a real model."""
        named = dict.fromkeys(a for a in reversed(ANSWER.findall(prompt)) if a in self.opinions)
        noise = int.from_bytes(hashlib.sha256(prompt.encode()).digest()[:4]) / 2**32 - 0.5
        likes = [self.opinions[a] for a in named][1::-1] or [0.0]
        return float(likes[-1] - (likes[-2] if self.kind == "pair" and len(likes) > 1 else 0.0) + noise)

    def score(self, prompts: Sequence[str], completions: Sequence[Sequence[str]]) -> np.ndarray:
        """f32 [n, k]: the last completion stands for label 1, the first for label 0."""
        self._need("score")
        out = np.full((len(prompts), len(completions[0])), -9.0, np.float32)
        m = np.array([self.margin(p) for p in prompts])
        out[:, 0], out[:, -1] = -np.logaddexp(0, m), -np.logaddexp(0, -m)
        return out

    def generate(
        self, prompts: Sequence[str], n: int = 1, temperature: float = 1.0, max_tokens: int = 64, seed: int = 0
    ) -> list[list[str]]:
        """n sampled answers a prompt: " A" / " B", or " False" / " True"."""
        self._need("generate")
        answers = (" A", " B") if self.kind == "pair" else (" False", " True")
        draws = np.random.default_rng(seed).random((len(prompts), n))
        sharp = 1 / max(temperature, 1e-3)
        return [
            [answers[int(u < 1 / (1 + np.exp(-sharp * self.margin(p))))] for u in row]
            for p, row in zip(prompts, draws, strict=True)
        ]


def rows_of(store: WorldStore, x: np.ndarray, kind: Kind, name: str, groups: Sequence[int] | None = None) -> Rows:
    """Rows whose features are x [n, d] (pairs: the difference of their sides). groups: which rows share a question."""
    groups = range(len(x)) if groups is None else groups
    texts: list[Text] = []
    around = np.random.default_rng(len(name)).normal(size=x.shape)  # what the two sides of a pair have in common
    for i, (row, g, middle) in enumerate(zip(x, groups, around, strict=True)):
        question, one, two = f"question {name}{g}?", f"<{name}{i}.first>", f"<{name}{i}.second>"
        text: Text = Pair(question, one, two) if kind == "pair" else Claim(question, two)
        sides = (middle - row / 2, middle + row / 2) if kind == "pair" else (row,)
        store.known |= dict(zip(rendered(text), sides, strict=True))
        texts.append(text)
    return Rows(kind, tuple(f"{name}{i:05d}" for i in range(len(x))), tuple(texts))


def task_of(
    x: np.ndarray,
    weak: np.ndarray,
    x_test: np.ndarray,
    *,
    kind: Kind = "pair",
    seed: int = 0,
    groups: Sequence[int] | None = None,
    ridge: float | None = None,
    opinions: tuple[np.ndarray, np.ndarray] | None = None,
    votes: np.ndarray | None = None,
    labelled: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
    params: dict[str, object] | None = None,
    epochs: int | None = None,
) -> Task:
    """x [n, d], weak [n], x_test [m, d]. opinions: the student's zero-shot log-odds of label 1 on train and test rows.
    votes [n, k]. labelled: (x, weak, truth) of a trusted split."""
    store = WorldStore(x.shape[1])
    train, test = rows_of(store, x, kind, "train", groups), rows_of(store, x_test, kind, "test")
    train = replace(train, weak=np.asarray(weak, np.float32), votes=votes)
    likes = None
    if opinions is not None:
        texts = [*train.texts, *test.texts]
        likes = dict(zip((t[-1] for t in texts), np.concatenate(opinions).tolist(), strict=True))
        if kind == "pair":  # a pair's log-odds are the difference of how its two sides are liked
            likes = {k: v / 2 for k, v in likes.items()}
            likes |= {k.replace("second", "first"): -v for k, v in likes.items()}
    trusted = None
    if labelled is not None:
        trusted = rows_of(store, labelled[0], kind, "trusted")
        trusted = replace(trusted, weak=np.asarray(labelled[1], np.float32), truth=np.asarray(labelled[2], np.float32))
    student = FakeStudent(store, kind, likes, ridge=ridge, epochs=epochs)
    return Task("fake", kind, seed, train, test, student, dict(params or {}), labelled=trusted)


def labels_at(x: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """f32 [n] truth of a linear rule."""
    return (x @ direction > 0).astype(np.float32)


def said(rng: np.random.Generator, truth: np.ndarray, accuracy: float | np.ndarray, low: float = 0.55) -> np.ndarray:
    """[n] weak labels that are right with this probability and as sure as they like: max(w, 1-w) ~ U(low, .95)."""
    side = np.where(rng.random(len(truth)) < accuracy, truth, 1 - truth)
    sure = rng.uniform(low, 0.95, len(truth))
    return np.where(side > 0.5, sure, 1 - sure).astype(np.float32)


def toy_task(
    kind: Kind = "pair", n: int = 96, d: int = 12, seed: int = 0, everything: bool = True
) -> tuple[Task, np.ndarray]:
    """A task whose teacher is right on four rows of five, and the truth of its n test rows. everything: with a student
    that scores and generates, four teachers, a trusted split, the weak model and one between the two."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=d)
    x, x_test, x_trusted = (rng.normal(size=(m, d)) for m in (n, n, 24))
    y, y_test, y_trusted = (labels_at(v, direction) for v in (x, x_test, x_trusted))
    if not everything:
        return task_of(x, said(rng, y, 0.8), x_test, kind=kind, seed=seed), y_test
    votes = np.stack([said(rng, y, 0.8) for _ in range(4)], axis=1)
    z, z_test = (2 * (2 * v - 1) + rng.normal(size=len(v)) for v in (y, y_test))
    task = task_of(
        x,
        votes[:, 0],
        x_test,
        kind=kind,
        seed=seed,
        opinions=(z, z_test),
        votes=votes,
        labelled=(x_trusted, said(rng, y_trusted, 0.8), y_trusted),
        groups=[i // 2 for i in range(n)],
        epochs=30,
    )
    weak, middle = (_narrow(task, direction, width, y, seed) for width in (4, 8))
    return replace(task, weak_model=weak, ladder=(middle,)), y_test


def _narrow(task: Task, direction: np.ndarray, width: int, y: np.ndarray, seed: int) -> Model:
    """A trained model that sees only the first features."""
    store: WorldStore = task.student.store  # type: ignore[attr-defined]
    small = WorldStore(width)
    small.known = {k: v[:width] for k, v in store.known.items()}
    return FakeStudent(small, task.kind).fit([Fit(task.train, y, seed=seed)])[0]
