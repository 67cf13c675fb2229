"""An effective-rank penalty: the finetuned student's hidden states should use few directions.

L = CE(p, wh) + lambda(s) er(H), H the hidden states of a batch, lambda falling linearly to 0: what is simple is learnt
first, the teacher's errors, which need many directions, are paid for. Needs a student whose body is trained; a head on
frozen states has no say in their rank (`low_rank` is its relative).
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.types import Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "fit", "tune"),
    cost="minutes",
    source="automated-w2s reference study 2026 (effective-rank penalty); Roy & Vetterli 2007, doi:10.5281/zenodo.40473, eq. 4",
    summary="cross-entropy plus a small, annealed penalty on the effective rank of the hidden states",
    defaults={"weight": 0.01, "measure": "entropy", "epochs": 5, "lr": 1e-4, "batch_size": 32},
    formula=r"L = \mathrm{CE}(p, \hat w) + \lambda \exp\Big(-\sum_i s_i \ln s_i\Big),\quad s = \sigma(H) / |\sigma(H)|_1",
    grid=({"measure": "participation"}, {"weight": 0.1}),
)


def run(task: Task) -> Predictions:
    import torch

    from aar.methods.parts.rank import effective_rank, participation_ratio
    from aar.models.losses import cross_entropy

    task, p = CARD.open(task)
    measure = {"entropy": effective_rank, "participation": participation_ratio}[p["measure"]]
    net, target = task.student.open(task.seed), torch.from_numpy((task.train.weak > 0.5).astype(np.float32))
    optimiser = torch.optim.AdamW(net.parameters(), lr=p["lr"])
    for epoch in range(p["epochs"]):
        for rows, index in net.batches(task.train, p["batch_size"]):
            z, y = net.logits(rows), target[torch.from_numpy(index)]
            loss = cross_entropy(z, y.to(z.device)).mean()
            if p["weight"]:
                loss = loss + p["weight"] * (1 - epoch / p["epochs"]) * measure(net.hidden(rows).float())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return Predictions(task.test.ids, net.freeze().predict(task.test))
