"""Identities of weak-to-strong theory that heads and losses must satisfy, on synthetic rows.

Sources: misfit = gain 2405.15116; the KL Pythagoras is the Bregman form of 2501.19105; noise controls are arithmetic.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aar.models import losses
from aar.models.heads import Head
from aar.models.training import fit
from aar.types import Batch, Fit, Pair, Rows


def as_batch(z: torch.Tensor, w: torch.Tensor) -> Batch:
    return Batch(z, w, torch.ones_like(w), torch.arange(len(w)), None, 1.0, lambda: -z, lambda rows: z)


def logistic(x: torch.Tensor, w: torch.Tensor, name: str = "xent") -> torch.Tensor:
    """Unregularised minimiser of a named loss over linear logits, float64."""
    beta = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [beta], max_iter=300, tolerance_grad=1e-13, tolerance_change=0, line_search_fn="strong_wolfe"
    )
    loss = losses.make(name)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        value = loss(as_batch(x @ beta, w))
        value.backward()
        return value

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    return (x @ beta).detach()


def kl(a: torch.Tensor, b: torch.Tensor) -> float:
    """Mean KL(a || b) of probabilities."""
    return (a * (a / b).log() + (1 - a) * ((1 - a) / (1 - b)).log()).mean().item()


@pytest.mark.parametrize("seed", range(20))
def test_gain_equals_misfit_for_a_linear_student(seed: int) -> None:
    """T1: squared loss, a subspace that holds the truth, in sample: E(w-f)^2 - E(s-f)^2 = E(s-w)^2."""
    draw = np.random.default_rng(seed)
    x = np.maximum(draw.normal(size=(4000, 8)) @ draw.normal(size=(8, 16)), 0)
    f = x @ draw.normal(size=16)
    weak = np.tanh(draw.normal(size=(1, 8)) @ draw.normal(size=(8, 4000)))[0] + f * draw.random()
    student = x @ np.linalg.lstsq(x, weak, rcond=None)[0]
    error = np.mean((weak - f) ** 2)
    gain, misfit = error - np.mean((student - f) ** 2), np.mean((student - weak) ** 2)
    assert abs(gain - misfit) <= 1e-9 * error
    assert gain > 0


@pytest.mark.parametrize("seed", range(3))
def test_kl_pythagoras_for_soft_label_logistic_regression(seed: int) -> None:
    """T2: KL(w||f) = KL(w||g) + KL(g||f), f any head, g the xent fit to soft labels w, in sample."""
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(5000, 10, generator=draw, dtype=torch.float64)
    f = torch.sigmoid(x @ torch.randn(10, generator=draw, dtype=torch.float64))
    w = (f + 0.3 * torch.rand(5000, generator=draw, dtype=torch.float64) * torch.sin(3 * x[:, 0])).clamp(0.01, 0.99)
    g = torch.sigmoid(logistic(x, w))
    assert kl(w, f) == pytest.approx(kl(w, g) + kl(g, f), abs=1e-9)
    assert kl(w, g) > 1e-3


def test_reverse_kl_projects_the_other_way() -> None:
    """T2, reversed roles: the reverse-KL student is closer to w in KL(p||w) than the xent one, and the reverse."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(2000, 5, generator=draw, dtype=torch.float64)
    w = torch.sigmoid(2 * x[:, 0] + 2 * torch.sin(3 * x[:, 1])).clamp(1e-4, 1 - 1e-4)
    forward, reverse = torch.sigmoid(logistic(x, w)), torch.sigmoid(logistic(x, w, "reverse_kl"))
    assert kl(reverse, w) < kl(forward, w)
    assert kl(w, forward) < kl(w, reverse)


def gaussian(n: int, d: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    x, f = draw.normal(size=(n, d)).astype(np.float32), draw.normal(size=d)
    return x, f / np.linalg.norm(f), draw.random(n)


def trained(x: np.ndarray, target: np.ndarray) -> Head:
    rows = Rows("pair", tuple(map(str, range(len(x)))), tuple(Pair(str(i), "a", "b") for i in range(len(x))))
    job = Fit(rows, target.astype(np.float32), lr=0.05, epochs=16)  # long enough to converge: this is about the limit
    return fit([job], lambda texts: x[[int(t.question) for t in texts]], "pair", ridge=0.0)[0]


@pytest.mark.parametrize("seed", range(3))
def test_random_flips_average_out_and_learnable_errors_do_not(seed: int) -> None:
    """C3: 30 % random flips: PGR over .85; a halfspace at .3 pi with the same error: the student copies it, PGR 0."""
    n, d = 20_000, 20
    x, f, chance = gaussian(2 * n, d, seed)
    y = x @ f > 0
    other = np.random.default_rng(seed + 100).normal(size=d)
    other -= other @ f * f
    tilted = x @ (np.cos(0.3 * np.pi) * f + np.sin(0.3 * np.pi) * other / np.linalg.norm(other)) > 0
    weak = {"flips": y ^ (chance < 0.3), "halfspace": tilted}
    test = slice(n, None)
    accuracy = lambda target: ((trained(x[:n], target[:n]).logits(x[test]) > 0) == y[test]).mean()  # noqa: E731
    ceiling, floor = accuracy(y), {k: (w[test] == y[test]).mean() for k, w in weak.items()}
    assert ceiling > 0.985
    assert floor["flips"] == pytest.approx(0.7, abs=0.01) == floor["halfspace"]
    pgr = {k: (accuracy(w) - floor[k]) / (ceiling - floor[k]) for k, w in weak.items()}
    assert pgr["flips"] > 0.85
    assert abs(pgr["halfspace"]) < 0.03


def test_logconf_hardens_without_losing_the_class_share() -> None:
    """Trained to its end on soft weak labels at 30 % positives, the student is surer and still says yes to 30 %."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(3000, 10, generator=draw, dtype=torch.float64)
    x[:, 0] = 1
    w = torch.sigmoid(0.8 * x[:, 1] + 0.4 * x[:, 2] - 1.0)
    plain = logistic(x, w)
    own = losses.class_threshold(torch.sigmoid(plain), w)
    assert own.mean().item() == pytest.approx(w.mean().item(), abs=1 / 3000)
    sharper = logistic(x, w, "logconf")
    assert sharper.abs().mean() > 1.5 * plain.abs().mean()
    assert torch.sigmoid(sharper).mean().item() == pytest.approx(w.mean().item(), abs=0.01)
