"""Sampling from p^alpha has that law; evolution draws independent noise, climbs, and is kept from collapse."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from aar.methods.parts.confidence import fitness
from aar.methods.parts.evolution import antithetic_step, plain_step
from aar.methods.parts.sampling import power_samples


class Chain:
    """A language of two words, the next one depending on the last; texts of any length."""

    P = np.array([[0.6, 0.4], [0.3, 0.7]])  # from the last word to the next
    FIRST = np.array([0.5, 0.5])

    def _law(self, prompt: str) -> np.ndarray:
        words = prompt.split()[1:]
        return self.P[int(words[-1])] if words else self.FIRST

    def generate(
        self, prompts: Sequence[str], n: int, temperature: float, max_tokens: int, seed: int
    ) -> list[list[str]]:
        rng, out = np.random.default_rng(seed), []
        for prompt in prompts:
            text = prompt
            for _ in range(max_tokens):
                text += f" {int(rng.random() < self._law(text)[1])}"
            out.append([text[len(prompt) :]])
        return out

    def score(self, prompts: Sequence[str], completions: Sequence[Sequence[str]]) -> np.ndarray:
        out = []
        for prompt, (completion,) in zip(prompts, completions, strict=True):
            text, total = prompt, 0.0
            for word in completion.split():
                total += np.log(self._law(text)[int(word)])
                text += f" {word}"
            out.append([total])
        return np.array(out, np.float32)


def test_power_samples_follow_the_powered_law() -> None:
    """Three words, eight texts: frequencies of 3000 chains against p^3 / Z, and not against p."""
    model, words, alpha = Chain(), 3, 3.0
    texts, accepted = power_samples(model, ["say:"] * 3000, alpha, 15, words, 0, tokens_per_word=1)  # type: ignore[arg-type]
    every = ["".join(f" {w}" for w in t) for t in product("01", repeat=words)]
    p = np.exp(model.score(["say:"] * 8, [[t] for t in every])[:, 0].astype(float))
    seen = np.array([texts.count(t) for t in every]) / len(texts)
    assert 0.3 < accepted < 1
    assert np.abs(seen - p**alpha / (p**alpha).sum()).sum() / 2 < 0.03
    assert np.abs(seen - p).sum() / 2 > 0.15


def test_noise_of_equal_tensors_is_not_equal() -> None:
    """The released code reuses one seed for every tensor, so that equal shapes move alike; a flat vector's parts do not."""
    moved = plain_step(np.zeros(20), lambda v: float(v.sum()), np.random.default_rng(0), 30, 0.1, 1.0)
    assert np.abs(moved[:10] - moved[10:]).max() > 0.1


def test_both_forms_climb() -> None:
    """A quadratic with its top at 1; equal fitnesses move nothing."""
    for step, alpha in ((plain_step, 0.3), (antithetic_step, 0.05)):
        rng, theta = np.random.default_rng(0), np.zeros(5)
        for _ in range(80):
            theta = step(theta, lambda v: -float(((v - 1) ** 2).sum()), rng, 20, 0.05, alpha)
        np.testing.assert_allclose(theta, 1, atol=0.25)
    np.testing.assert_array_equal(
        plain_step(np.ones(3), lambda v: 0.0, np.random.default_rng(0), 5, 0.1, 1.0), np.ones(3)
    )


def test_being_sure_of_one_class_is_the_best_there_is_without_the_guard() -> None:
    """The attack on a fitness without labels: call everything true. The balance term makes it worth less than the truth."""
    everything, right = np.full(100, 0.99), np.where(np.arange(100) % 2, 0.95, 0.05)
    assert fitness(everything, None, 0.5, balance=0.0) > fitness(right, None, 0.5, balance=0.0)
    assert fitness(everything, None, 0.5, balance=4.0) < fitness(right, None, 0.5, balance=4.0)


def test_an_answer_that_depends_on_the_order_is_worth_nothing() -> None:
    """Sure of "second" in both orders: p = p_swap = 1."""
    sure = np.full(10, 1.0)
    assert fitness(sure, sure, 0.5, 0.0) == 0.0
    assert fitness(sure, 1 - sure, 0.5, 0.0) == 1.0
