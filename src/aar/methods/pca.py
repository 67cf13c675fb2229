"""Principal components as a probe: the direction along which rows differ most, the teacher giving only the sign.

The first component of h(second) - h(first) (pairs) or of centred h (claims). `among` > 1 lets the teacher choose the
component that its labels correlate with most, out of the first ones: still a choice among few, not a fit.
"""

from __future__ import annotations

import numpy as np

from aar.methods.card import Card
from aar.methods.parts.directions import along, components
from aar.types import Predictions, Task

CARD = Card(
    family="elicitation",
    inputs=("features", "weak"),
    source="Burns et al. 2022, arXiv:2212.03827, sec. 3 (CRC-TPC); Zou et al. 2023, arXiv:2310.01405, sec. 3.1 (LAT)",
    summary="score rows along a principal component of the student's features, the sign from the teacher",
    defaults={"among": 1},
    formula=r"\theta = \pm\,\mathrm{PC}_1\big(h(x^+) - h(x^-)\big)",
    grid=({"among": 4}, {"among": 16}),
    departs="the sign comes from weak labels, not from gold ones",
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    h, weak = task.student.features(task.train).astype(np.float64), task.train.weak
    agreement = (
        (2 * weak - 1)
        @ (h - (h.mean(0) if task.kind == "binary" else 0))
        @ (axes := components(h, task.kind, p["among"])).T
    )
    agreement = agreement / (np.linalg.norm(h @ axes.T, axis=0) + 1e-12)
    best = int(np.abs(agreement).argmax())
    theta = axes[best] * (1 if agreement[best] >= 0 else -1)
    probe = along(theta, h, weak > 0.5, task.kind)
    return Predictions(task.test.ids, probe.probability(task.student.features(task.test)))
