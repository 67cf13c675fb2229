"""Undo the noise in the loss: an unbiased estimate of the clean loss, at the price of variance and of negative values."""

from __future__ import annotations

from aar.methods.card import Card
from aar.methods.forward_correction import rates
from aar.methods.parts.recipe import Recipe
from aar.types import Predictions, Task

CARD = Card(
    family="loss",
    inputs=("weak", "labelled", "fit"),
    source="Patrini et al. 2017, arXiv:1609.03683, theorem 1",
    summary="unbiased loss under label noise, noise rates from trusted rows",
    defaults={"symmetric": False},
    formula=r"\ell^{\leftarrow} = T^{-1} \ell, \quad T_{yk} = P(\tilde y = k \mid y)",
    departs="the paper estimates T from anchor points; here it is counted on trusted rows",
    grid=({"symmetric": True},),
)


def run(task: Task) -> Predictions:
    task, p = CARD.open(task)
    return Recipe(label="hard", loss="backward_corrected", loss_params=rates(task, p["symmetric"])).run(task)
