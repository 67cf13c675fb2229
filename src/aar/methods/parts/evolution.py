"""Evolution strategies on a vector of weights: move it along random directions, by how much better they score.

theta <- theta + alpha mean_k r_k eps_k. Plain: r are z-scored fitnesses of theta + sigma eps_k (sigma is absorbed in
alpha); antithetic: r_k = (f(theta + sigma eps_k) - f(theta - sigma eps_k)) / 2 sigma. eps is drawn for the whole vector at
once: the released code of 2509.24372 starts every tensor from one seed, so that equal shapes move alike.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Fitness = Callable[[np.ndarray], float]


def plain_step(
    theta: np.ndarray, fitness: Fitness, rng: np.random.Generator, n: int, sigma: float, alpha: float
) -> np.ndarray:
    """One generation of n perturbations; a generation whose fitnesses are all equal moves nothing."""
    eps = rng.standard_normal((n, len(theta)))
    f = np.array([fitness(theta + sigma * e) for e in eps])
    return theta if f.std() == 0 else theta + alpha * ((f - f.mean()) / f.std()) @ eps / n


def antithetic_step(
    theta: np.ndarray, fitness: Fitness, rng: np.random.Generator, n: int, sigma: float, alpha: float
) -> np.ndarray:
    """One generation of n pairs of opposite perturbations."""
    eps = rng.standard_normal((n, len(theta)))
    slope = np.array([fitness(theta + sigma * e) - fitness(theta - sigma * e) for e in eps]) / (2 * sigma)
    return theta + alpha * slope @ eps / n
