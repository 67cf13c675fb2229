"""Co-teaching that exchanges only rows on which the two students disagree, so that they do not become one."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.co_teaching import teach
from aar.types import Predictions, Task

CARD = Card(
    family="selection",
    inputs=("weak", "fit"),
    source="Yu et al. 2019, arXiv:1901.04215, alg. 1",
    summary="co-teaching on the rows where the two students disagree",
    defaults={"rounds": 10, "epochs": 12, "ramp": 10, "tau": None, "least": 0.1},
    formula=r"\text{as co-teaching, on } \{i : \hat y_f(x_i) \ne \hat y_g(x_i)\}",
    departs="where fewer than `least` of the rows are in dispute all are used, as the paper does for a batch without any",
    grid=({"tau": 0.3}, {"least": 0.02}),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return teach(task, p, torn=True)
