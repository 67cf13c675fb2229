"""Unsupervised elicitation on hidden states: contrast-consistent search, the teacher giving only the sign.

The two responses of a pair are the contrast pair: exactly one of them is the better one. Each side's features are
mean-normalised on their own, a linear probe p+ (second is better), p- (first is better) minimises
mean (p+ - (1 - p-))^2 + mean min(p+, p-)^2, over restarts keeping the lowest loss. The published evaluation picks the
sign with gold labels (max(acc, 1 - acc)); here it is picked by agreement with the teacher's confident labels.
Burns et al. 2022 (arXiv:2212.03827), eq. 1-3.
"""

from __future__ import annotations

import numpy as np

from aar.errors import Unsupported
from aar.methods.card import Card
from aar.types import Predictions, Rows, Task

CARD = Card(
    family="elicitation", inputs=("features", "weak", "pairs"), human=True,
    source="Burns et al. 2022, arXiv:2212.03827, eq. 1-3; sign from weak labels, not from gold",
    summary="unsupervised probe of the student's hidden states; the teacher only gives the sign",
    defaults={"restarts": 4, "steps": 300, "lr": 0.01, "weight_decay": 0.01, "sure": 0.5},
    formula=r"L = \overline{(p^+ - (1 - p^-))^2} + \overline{\min(p^+, p^-)^2}",
)


def _sides(task: Task, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """h(second) and h(first), [n, d] each, normalised by their own mean and one common scale."""
    plus, minus = (task.student.features(rows, side=s) for s in ("second", "first"))
    plus, minus = plus - plus.mean(0), minus - minus.mean(0)
    scale = np.concatenate([plus, minus]).std() + 1e-6
    return plus / scale, minus / scale


def probe(plus: np.ndarray, minus: np.ndarray, seed: int, p: dict[str, float]) -> np.ndarray:
    """[d + 1] direction and bias with the lowest loss of all restarts (full-batch AdamW)."""
    import torch

    x1, x0 = torch.from_numpy(plus), torch.from_numpy(minus)
    made = torch.Generator().manual_seed(seed % 2**31)
    k = int(p["restarts"])
    weight = torch.nn.functional.normalize(torch.randn(x1.shape[1], k, generator=made), dim=0).requires_grad_()
    bias = torch.zeros(k, requires_grad=True)
    optimiser = torch.optim.AdamW([weight, bias], lr=p["lr"], weight_decay=p["weight_decay"])
    for _ in range(int(p["steps"])):
        p1, p0 = torch.sigmoid(x1 @ weight + bias), torch.sigmoid(x0 @ weight + bias)
        loss = ((p1 - (1 - p0)) ** 2).mean(0) + (torch.minimum(p1, p0) ** 2).mean(0)
        optimiser.zero_grad()
        loss.sum().backward()
        optimiser.step()
    best = int(loss.argmin())
    return torch.cat([weight[:, best], bias[best : best + 1]]).detach().numpy()


def _score(direction: np.ndarray, plus: np.ndarray, minus: np.ndarray) -> np.ndarray:
    def p(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-(x @ direction[:-1] + direction[-1])))

    return 0.5 * (p(plus) + 1 - p(minus))


def run(task: Task) -> Predictions:
    if task.kind != "pair":
        raise Unsupported("ccs needs pairs: a single claim has no contrast side")
    p = CARD.settle(task.params)
    plus, minus = _sides(task, task.train)
    direction = probe(plus, minus, task.seed, p)
    weak = task.train.weak
    sure = np.abs(weak - 0.5) >= np.quantile(np.abs(weak - 0.5), p["sure"])
    agrees = ((_score(direction, plus, minus) > 0.5) == (weak > 0.5))[sure].mean()
    scores = _score(direction, *_sides(task, task.test))
    return Predictions(task.test.ids, scores if agrees >= 0.5 else 1 - scores)
