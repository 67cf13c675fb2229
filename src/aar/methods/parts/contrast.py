"""Contrast-consistent search: a direction in the student's features along which the two sides of a pair disagree.

p+ (second is better) and p- (first is better) of a sigmoid probe minimise mean (p+ - (1 - p-))^2 + mean min(p+, p-)^2.
Each side is normalised by its own mean over the training rows, so that what tells the sides apart in general (their
position) cannot be the answer; `mean_only=False` divides by each feature's spread too. The lowest loss of all restarts
is kept. No label is read; the direction has no sign until `signed` gives it one. Burns et al. 2022, arXiv:2212.03827.
Departs: features are first cut off at the training rows' 1 and 99 %. One text of repeated digits has a feature a thousand
times the others' (Sun et al. 2024, arXiv:2402.17762), which moved its side's mean and so told the sides apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aar.types import Model, Rows

CUT = (0.01, 0.99)


@dataclass(frozen=True)
class Contrast:
    """A probe: direction f32 [d], bias, and how each side (second, first) is normalised: limits and mean [d], scale."""

    direction: np.ndarray
    bias: float
    limits: Sequence[np.ndarray]  # of each side [2, d]
    means: Sequence[np.ndarray]
    scale: np.ndarray
    loss: float

    def probability(self, student: Model, rows: Rows) -> np.ndarray:
        """[n]: (p+ + 1 - p-) / 2. A row's answer does not depend on the rows beside it: means are the training rows'."""
        plus, minus = (
            _sigmoid((np.clip(side, *limits) - mean) / self.scale @ self.direction + self.bias)
            for side, limits, mean in zip(_sides(student, rows), self.limits, self.means, strict=True)
        )
        return 0.5 * (plus + 1 - minus)


def search(
    student: Model,
    rows: Rows,
    seed: int,
    *,
    restarts: int = 10,
    steps: int = 300,
    lr: float = 0.01,
    weight_decay: float = 0.01,
    mean_only: bool = True,
) -> Contrast:
    """The probe of the lowest loss (full-batch AdamW, all restarts side by side)."""
    import torch

    from aar.models.heads import one_thread

    limits = [np.quantile(side, CUT, axis=0).astype(np.float32) for side in _sides(student, rows)]
    sides = [np.clip(side, *limit) for side, limit in zip(_sides(student, rows), limits, strict=True)]
    means = [side.mean(0) for side in sides]
    centred = np.concatenate([side - mean for side, mean in zip(sides, means, strict=True)])
    scale = (np.full(centred.shape[1], centred.std()) if mean_only else centred.std(0)).astype(np.float32) + 1e-6
    x1, x0 = (torch.from_numpy(x.astype(np.float32)) for x in np.split(centred / scale, 2))
    made = torch.Generator().manual_seed(seed % 2**31)
    weight = torch.nn.functional.normalize(torch.randn(x1.shape[1], restarts, generator=made), dim=0).requires_grad_()
    bias = torch.zeros(restarts, requires_grad=True)
    optimiser = torch.optim.AdamW([weight, bias], lr=lr, weight_decay=weight_decay)
    with one_thread():
        for _ in range(steps):
            optimiser.zero_grad()
            losses(torch.sigmoid(x1 @ weight + bias), torch.sigmoid(x0 @ weight + bias)).sum().backward()
            optimiser.step()
        with torch.no_grad():
            loss = losses(torch.sigmoid(x1 @ weight + bias), torch.sigmoid(x0 @ weight + bias))
            best = int(loss.argmin())
            return Contrast(weight[:, best].numpy().copy(), bias[best].item(), limits, means, scale, loss[best].item())


def _sides(student: Model, rows: Rows) -> list[np.ndarray]:
    return [student.features(rows, side="second"), student.features(rows, side="first")]


def losses(plus, minus):  # type: ignore[no-untyped-def]
    """[restarts] of p+ and p- [n, restarts]: consistency and confidence (eq. 1-3)."""
    import torch

    return ((plus - (1 - minus)) ** 2).mean(0) + (torch.minimum(plus, minus) ** 2).mean(0)


def signed(score: np.ndarray, weak: np.ndarray, sure: float = 0.5) -> bool:
    """Whether scores [n] point the way of the weak labels, by the teacher's surest `1 - sure` of the rows. (The
    published evaluation takes max(acc, 1 - acc), which reads gold labels.)"""
    confidence = np.abs(weak - 0.5)
    pick = confidence >= np.quantile(confidence, sure)
    return bool(((score > 0.5) == (weak > 0.5))[pick].mean() >= 0.5)


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))
