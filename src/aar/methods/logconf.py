"""Auxiliary confidence loss: let the student disagree with the teacher where it is sure.

L = CE(p, (1 - a) w + a 1[p > t]), a warmed up over the first `warmup` of training, t the batch quantile at which the
share of hard ones equals the mean weak label (a class-balance constraint, not .5), no gradient through the hard
target. Burns et al. 2023, eq. 1 and appendix A.4; their code's warm-up climbs to `warmup` and then jumps to 1
(quirk): the divided form is the default here.
"""

from __future__ import annotations

from aar.methods.card import Card
from aar.models.losses import make
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "fit"),
    human=True,
    source="Burns et al. 2023, arXiv:2312.09390, eq. 1; openai/weak-to-strong loss.py",
    summary="cross-entropy to a mix of the weak label and the student's own hardened prediction",
    defaults={"a_max": 0.5, "warmup": 0.2},
    formula=r"L = \mathrm{CE}(p, (1-\alpha) w + \alpha \mathbb{1}[p > t])",
    grid=({"a_max": 0.75}, {"warmup": 0.5}),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    loss = make("logconf", a_max=p["a_max"], warmup=p["warmup"])
    (model,) = task.student.fit([Fit(task.train, task.train.weak, loss=loss, seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
