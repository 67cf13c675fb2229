"""CCS and evolution strategy: a student warmed on the rows where CCS and the teacher agree, then evolved without labels.

The best single method of the reference study on chat (PGR .93) combined these two; it does not say how in full. Here
`ccs_weak` gives the start and `confident_evolution` the rest.
"""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.ccs_weak import combined
from aar.methods.confident_evolution import CARD as EVOLUTION
from aar.methods.evolution import warmed
from aar.methods.parts.confidence import evolve
from aar.types import Predictions, Task

CARD = Card(
    family="search",
    inputs=("features", "weak", "pairs", "fit"),
    source="automated-w2s reference study 2026 (CCS + evolution strategy)",
    summary="start from the rows on which CCS and the teacher agree, then evolve towards sure, consistent answers",
    defaults={"eps": 0.1, "restarts": 10, "steps": 300, **EVOLUTION.defaults},
    formula=r"\theta_0 = \arg\min \sum_i \omega_i\,\mathrm{CE}(p_i, \hat y_i),\quad \theta \leftarrow \theta + \alpha\,\nabla^{ES} f",
    departs=EVOLUTION.departs,
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    target, weight = combined(task, p)
    _, net = warmed(task, target, weight)
    return Predictions(task.test.ids, evolve(task, net, 0.5, p).freeze().predict(task.test))
