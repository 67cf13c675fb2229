"""Any combination of the library's parts, by parameters: what search arms vary and what sweeps run over.

aar method run compose code -p label=balanced -p select=confident -p 'select_params={"keep": 0.4}'
"""

from __future__ import annotations

from dataclasses import asdict

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="combination",
    inputs=("weak", "fit"),
    source="this project; each part names its own source",
    summary="a label step, a selection step, a loss, rounds of self-training and an ensemble, put together",
    defaults=asdict(Recipe()),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(**p).run(task)
