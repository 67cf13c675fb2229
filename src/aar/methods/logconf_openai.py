"""The auxiliary confidence loss as openai/weak-to-strong codes it.

Columns are [class 0, class 1]; the threshold is the quantile of P(class 0) at the mean weak P(class 1), so that the share of hard
class 0 is the mean weak P(class 0). QUIRK: during warm-up the coefficient is a_max s, not a_max s / s0: it climbs to a_max s0 and
then jumps to a_max. `quirk=False` gives the divided form of both forks.
"""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "fit"),
    source="Burns et al. 2023, arXiv:2312.09390, app. A.4; openai/weak-to-strong loss.py `logconf_loss_fn`",
    summary="auxiliary confidence loss with openai's constants and warm-up",
    defaults={"a_max": 0.5, "warmup": 0.1, "quirk": True},
    formula=r"L = \mathrm{CE}(p, (1-\alpha) w + \alpha \mathbb{1}[p > t]), \quad \alpha = \alpha_{\max} s \text{ while } s \le s_0",
    departs="paper: a_max .75 for the largest students, warm-up over 20 %; code: .5 and 10 %, not divided by s0. Predictions that tie at the threshold share the class gap here, in the code all become class 0",
    grid=(
        {"a_max": 0.75},
        {"quirk": False},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(
        label="soft",
        loss="logconf",
        loss_params={"a_max": p["a_max"], "warmup": p["warmup"], "openai_quirk": p["quirk"]},
    ).run(task)
