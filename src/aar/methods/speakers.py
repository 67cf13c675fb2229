"""Students that speak, each with one habit that a method is meant to deal with: fakes for methods that prompt.

`as_speaker(task, Positional)` gives a world's student that habit. All read the rows of `fakes.rows_of` in a prompt.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aar.methods.fakes import FakeStudent
from aar.types import Task

SECOND = re.compile(r"<(\w+)\.second>")


def as_speaker(task: Task, habit: type[FakeStudent], x: np.ndarray | None = None) -> Task:
    """The task with its student turned into one of this habit. x [n, d]: what it remembers of training rows."""
    old = task.student
    assert isinstance(old, FakeStudent)
    new = habit(old.store, old.kind, old.opinions, ridge=old.ridge)  # type: ignore[arg-type]
    if x is not None:
        new.memory = {f"train{i}": row for i, row in enumerate(x)}  # type: ignore[attr-defined]
    return replace(task, student=new)


class Positional(FakeStudent):
    """Likes whatever stands second."""

    def margin(self, prompt: str) -> float:
        return super().margin(prompt) + 3.0


class Formless(FakeStudent):
    """Does not know what is asked of it until it has seen solved examples, whatever their labels."""

    def margin(self, prompt: str) -> float:
        shown = len(SECOND.findall(prompt)) - 1
        noise = np.random.default_rng(list(prompt[-400:].encode())).normal()
        return super().margin(prompt) + 12.0 * float(noise) / (1 + 3 * shown)


class InContext(FakeStudent):
    """Learns from solved examples in its prompt: rows like those that were called right are right. By itself it knows a
    little, `own`."""

    memory: dict[str, np.ndarray]
    own = 1.0

    def margin(self, prompt: str) -> float:
        *solved, asked = prompt.split("\n\n")
        x = self._read(asked)
        told = [(self._read(block), 1 if block.endswith((" B", " True")) else -1) for block in solved]
        alike = sum(label * float(np.tanh(x @ other / len(x))) for other, label in told)
        return self.own * super().margin(asked) + alike

    def _read(self, block: str) -> np.ndarray:
        """The remembered row, mirrored where its sides stand the other way round."""
        (name,) = SECOND.findall(block)
        first = block.find(f"<{name}.first>")
        return self.memory[name] * (-1 if first > block.find(f"<{name}.second>") else 1)


class Reasoner(FakeStudent):
    """Thinks one word, " one" or " zero", and answers what it thought. The word follows its opinion by chance."""

    WORDS = (" zero", " one")

    def generate(
        self, prompts: Sequence[str], n: int = 1, temperature: float = 1.0, max_tokens: int = 64, seed: int = 0
    ) -> list[list[str]]:
        draws = np.random.default_rng(seed).random((len(prompts), n))
        odds = [self.margin(p) / max(temperature, 1e-3) for p in prompts]
        return [[self.WORDS[int(u < 1 / (1 + np.exp(-z)))] for u in row] for z, row in zip(odds, draws, strict=True)]

    def score(self, prompts: Sequence[str], completions: Sequence[Sequence[str]]) -> np.ndarray:
        if completions and completions[0][0] in self.WORDS:  # how likely a thought is
            odds = np.array(
                [self.margin(p) * (1 if c[0] == " one" else -1) for p, c in zip(prompts, completions, strict=True)]
            )
            return -np.logaddexp(0, -odds).astype(np.float32)[:, None]
        return super().score(prompts, completions)

    def margin(self, prompt: str) -> float:
        thought = re.search(r"Reasoning:( one| zero)", prompt)
        return super().margin(prompt) if thought is None else 2.0 if thought[1] == " one" else -2.0
