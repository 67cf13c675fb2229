"""Samples from p^alpha instead of p, by Metropolis-Hastings over whole texts: what the model finds likely as a whole,
which sampling its next words greedily or at a low temperature is not.

A step cuts a text at a random word and lets the model write the rest again (the proposal is p itself), then accepts with
min(1, [p(x') / p(x)]^alpha q(x | x') / q(x' | x)) = min(1, [p(rest') / p(rest)]^(alpha - 1) |x| / |x'|): the |.| (words) are
there because the cut is uniform over the words of a text. Texts are cut to `words` words. Karan & Du 2025,
arXiv:2510.14901, algorithm 1 (theirs proposes at temperature 1 / alpha, block by block; the law aimed at is the same).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from aar.types import Model


def pieces(text: str, words: int) -> list[str]:
    """The text's first words, each with the space before it."""
    return re.findall(r"\s*\S+", text)[:words]


def power_samples(
    model: Model, prompts: Sequence[str], alpha: float, steps: int, words: int, seed: int, tokens_per_word: int = 3
) -> tuple[list[str], float]:
    """(one text per prompt, distributed as p^alpha in the limit of many steps; share of accepted steps)."""
    rng, tokens = np.random.default_rng(seed), words * tokens_per_word
    texts = [pieces(t[0], words) for t in model.generate(prompts, 1, 1.0, tokens, seed)]
    accepted = 0
    for step in range(steps):
        cuts = [int(rng.integers(max(1, len(x)))) for x in texts]
        starts = [q + "".join(x[:c]) for q, x, c in zip(prompts, texts, cuts, strict=True)]
        written = model.generate(starts, 1, 1.0, tokens, seed + 1 + step)
        rest = [pieces(t[0], words - c) for t, c in zip(written, cuts, strict=True)]
        now, new = (_log(model, starts, r) for r in ([x[c:] for x, c in zip(texts, cuts, strict=True)], rest))
        for i, u in enumerate(rng.random(len(texts))):
            offered = texts[i][: cuts[i]] + rest[i]
            ratio = (alpha - 1) * (new[i] - now[i]) + np.log(max(1, len(texts[i])) / max(1, len(offered)))
            if np.log(u + 1e-300) < ratio:
                texts[i], accepted = offered, accepted + 1
    return ["".join(x) for x in texts], accepted / max(1, steps * len(texts))


def _log(model: Model, prompts: Sequence[str], rests: Sequence[list[str]]) -> np.ndarray:
    """[n] log-probability of each continuation; an empty one has 0."""
    out = np.zeros(len(prompts))
    full = [i for i, r in enumerate(rests) if r]
    if full:
        out[full] = model.score([prompts[i] for i in full], [["".join(rests[i])] for i in full])[:, 0]
    return out
