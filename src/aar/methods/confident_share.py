"""The share of rows that the teacher is most sure of, as a variant of `confident` that no threshold can empty."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="selection",
    inputs=("weak", "fit"),
    source="automated-w2s reference study 2026, `confident`; variants top-k% and per-class top-k",
    summary="hard labels of the most confident share, per class or of all",
    defaults={"keep": 0.5, "per_class": True},
    formula=r"L = \sum_{i \in \mathrm{top}_k(|w_i - 1/2|)} \mathrm{CE}(\sigma(z_i), \mathbb{1}[w_i > 1/2])",
    grid=(
        {"keep": 0.3},
        {"per_class": False},
    ),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(select="confident", select_params=p).run(task)
