"""All weights of the student: the same two functions as `lora`, for one fit at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor, nn

from aar.models.tuned.base import Base

Weights = dict[str, Tensor]  # parameter name -> float32 copy [1, ...]


def initial(base: Base, seeds: Sequence[int]) -> Weights:
    """A copy of the weights; the seed changes the order of the rows alone."""
    return {name: p.detach().float().clone()[None] for name, p in base.model.named_parameters()}


@contextlib.contextmanager
def applied(base: Base, weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Within, the model computes with these weights, cast to its own dtype, with gradients to the float32 ones."""
    owners: list[tuple[nn.Module, str, Tensor]] = []
    used: dict[int, Tensor] = {}
    for name, parameter in base.model.named_parameters():
        used[id(parameter)] = weights[name][0].to(base.dtype)
    try:
        for module in base.model.modules():  # tied weights stand in several modules
            for leaf, parameter in list(module._parameters.items()):
                if parameter is not None:
                    owners.append((module, leaf, parameter))
                    module._parameters[leaf] = used[id(parameter)]  # type: ignore[assignment]
        yield
    finally:
        for module, leaf, parameter in owners:
            module._parameters[leaf] = parameter  # type: ignore[assignment]
