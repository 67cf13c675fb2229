"""Generative finetuning first: the student learns to write the task's own unlabeled texts, then weak-to-strong.

One epoch of the language-model loss on both responses of every training row, no labels; it makes what the task is about
more salient before the teacher's errors arrive. Burns et al. report 10 to 20 % of PGR for reward modelling. Needs a student
whose body is trained.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.types import Claim, Fit, Net, Pair, Predictions, Rows, Task

CARD = Card(
    family="generative",
    inputs=("weak", "fit", "tune"),
    cost="minutes",
    source="Burns et al. 2023, arXiv:2312.09390, sec. 5.2.2",
    summary="one epoch of language modelling on the task's unlabeled texts before weak-to-strong",
    defaults={"epochs": 1, "lr": 1e-4, "batch_size": 8},
    formula=r"L_1 = -\overline{\log p_\theta(y \mid x)},\quad L_2 = \mathrm{CE}(p_\theta, \hat w)",
)


def written(rows: Rows) -> tuple[list[str], list[list[str]]]:
    """(prompts, their responses): what the student learns to write. Both responses of a pair, whichever is better."""
    prompts = [t.question + "\n" for t in rows.texts]
    return prompts, [
        [t.first, t.second] if isinstance(t, Pair) else [t.choice] for t in rows.texts if isinstance(t, Pair | Claim)
    ]


def write(net: Net, rows: Rows, epochs: int, lr: float, batch_size: int) -> list[float]:
    """Trains the net on the texts of the rows; the loss per text of each step."""
    import torch

    optimiser, seen = torch.optim.AdamW(net.parameters(), lr=lr), []
    for _ in range(epochs):
        for batch, _index in net.batches(rows, batch_size):
            loss = -net.logprob(*written(batch)).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            seen.append(loss.item())
    return seen


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    net = task.student.open(task.seed)
    seen = write(net, task.train, p["epochs"], p["lr"], p["batch_size"])
    task.log(first_loss=seen[0] if seen else 0.0, last_loss=seen[-1] if seen else 0.0)
    hard = (task.train.weak > 0.5).astype(np.float32)
    (model,) = task.student.fit([Fit(task.train, hard, seed=task.seed, init=net.freeze())])
    return Predictions(task.test.ids, model.predict(task.test))
