"""Difference in means: the direction from the rows that the teacher calls 0 to those that it calls 1.

No training and no free parameter, so there is little room to copy the teacher's errors.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.directions import along, mean_difference
from aar.types import Predictions, Task

CARD = Card(
    family="elicitation",
    inputs=("features", "weak"),
    source="Marks & Tegmark 2023, arXiv:2310.06824, sec. 5 (mass-mean probe); Belrose 2023, arXiv:2306.03819",
    summary="score rows along the difference of the class means of the student's features",
    formula=r"\theta = \overline{h \mid \hat w = 1} - \overline{h \mid \hat w = 0},\quad z = \langle \theta, h\rangle",
)


def run(task: Task) -> Predictions:
    task, _ = CARD.open(task)
    h, hard = task.student.features(task.train).astype(np.float64), task.train.weak > 0.5
    probe = along(mean_difference(h, hard, task.kind), h, hard, task.kind)
    return Predictions(task.test.ids, probe.probability(task.student.features(task.test)))
