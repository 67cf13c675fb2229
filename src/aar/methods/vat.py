"""Virtual adversarial training: the answer may not change where the student would change it most easily.

r = eps g / |g|, g the gradient of KL(p(x) || p(x + xi d)) in d, one power iteration from a random d; L = CE + lambda
KL(p(x) || p(x + r)). On features divided by their spread. For a linear head g is the weight vector itself, so this is a
penalty on |w| that counts rows near the boundary most: it pushes the boundary out of where rows are dense.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.types import Predictions, Task

CARD = Card(
    family="imitation",
    inputs=("weak", "features"),
    source="Miyato et al. 2018, arXiv:1704.03976, eq. 5-12 and algorithm 1",
    summary="cross-entropy plus smoothness in the direction that changes the student's answer most",
    defaults={"weight": 1.0, "epsilon": 2.0, "xi": 0.1, "ridge": 0.3},
    formula=r"L = \mathrm{CE}(p, \hat w) + \lambda\,\mathrm{KL}\big(p(x) \,\|\, p(x + r)\big),\quad r = \epsilon g / |g|",
    grid=({"epsilon": 5.0}, {"ridge": 1.0}),
)


def run(task: Task) -> Predictions:
    import torch

    from aar.methods.parts.looped import Loop, cross_entropy, opened, train

    task, p = CARD.open(task)
    features = task.student.features(task.train)
    loop = opened(features, task.kind, task.seed)
    x, y = loop.scaled(features), torch.from_numpy((task.train.weak > 0.5).astype(np.float32))

    def moved(loop: Loop, z: torch.Tensor, r: torch.Tensor) -> torch.Tensor:
        """Mean KL(p(x) || p(x + r)), the first argument fixed."""
        q = torch.sigmoid(z.detach())
        return (cross_entropy(loop.logits(x + r), q) - cross_entropy(z.detach(), q)).mean()

    def objective(loop: Loop, done: float) -> torch.Tensor:
        z = loop.logits(x)
        d = torch.nn.functional.normalize(torch.randn(x.shape, generator=loop.draw, dtype=x.dtype), dim=1)
        r = (p["xi"] * d).requires_grad_()
        (g,) = torch.autograd.grad(moved(loop, z, r), r)
        adversarial = p["epsilon"] * torch.nn.functional.normalize(g, dim=1)
        return cross_entropy(z, y).mean() + p["weight"] * moved(loop, z, adversarial)

    trained = train(loop, objective, ridge=p["ridge"])
    return Predictions(task.test.ids, trained.probability(task.student.features(task.test)))
