"""Epiplexity as first proposed: the area of a row's loss above its final loss, while a student reads the data once.

Noise has about none, since it is never learnt; a shortcut has little, since it is learnt at once; structure that takes time
has much. The rows with the largest area are kept.
"""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.labels import hard
from aar.methods.parts.prequential import trace
from aar.methods.parts.selections import top_per_class
from aar.types import Fit, Predictions, Task

CARD = Card(
    family="selection",
    inputs=("weak", "fit"),
    source="arXiv:2601.03220 (epiplexity, prequential area)",
    summary="keep the rows whose loss falls most while a student reads on",
    defaults={"keep": 0.6, "blocks": 8, "epochs": 20},
    formula=r"S_i = \sum_t (\ell_i(t) - \ell_i(\text{final}))",
    departs="the paper measures a data set by the sum; here every row is measured by its own term",
    grid=({"keep": 0.8}, {"keep": 0.4}),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    label = hard(task)
    loss, _ = trace(task, label, p["blocks"], p["epochs"])
    area = (loss - loss[-1]).sum(0)
    task.log(epiplexity=float(area.sum()))
    keep = top_per_class(area, label > 0.5, p["keep"])
    (model,) = task.student.fit([Fit(task.train.take(keep), label[keep], seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
