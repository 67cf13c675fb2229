"""The auxiliary confidence loss as EleutherAI/w2s codes it: small batches, a buffer of the last predictions.

Warm-up of 100 steps of about 230 (their 5 epochs of small batches) is a share of .4 here. balance: their `balance_batch`.
"""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "fit"),
    source="EleutherAI/w2s loss.py `log_confidence_loss`, reporter buffer of 32",
    summary="auxiliary confidence loss over a buffer of the last 32 predictions",
    defaults={"a_max": 0.5, "warmup": 0.4, "size": 32, "balance": False, "batch_size": 32, "epochs": 6},
    formula=r"L = \mathrm{CE}(p, (1-\alpha) w + \alpha \mathbb{1}[p > t_{32}])",
    departs="their buffer extends the list that the caller passed in; here it belongs to one fit",
    grid=(
        {"balance": True},
        {"a_max": 0.75},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(
        label="soft",
        loss="logconf_buffer",
        loss_params={k: p[k] for k in ("a_max", "warmup", "size", "balance")},
        batch_size=p["batch_size"],
        epochs=p["epochs"],
    ).run(task)
