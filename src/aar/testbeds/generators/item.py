"""What a generator yields: a question with a right and a wrong response. Order, ids and splits are the builder's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aar.registry import Registry


@dataclass(frozen=True)
class Item:
    """One pair before it is sealed.

    group: the question; intervals cluster on it and it never straddles two splits.
    cell: the coarser unit (function template, entity set) that never straddles training and test.
    subset: the kind shown in per-subset tables. ood: drawn from templates, entities or kinds held out of training.
    """

    prompt: str
    right: str
    wrong: str
    group: str
    cell: str
    subset: str
    difficulty: str = ""
    ood: bool = False


Generate = Callable[[np.random.Generator, int, int], list[Item]]
"""generate(rng, n, n_ood) -> n in-distribution items and n_ood out-of-distribution ones, in any order."""

generators: Registry[Generate] = Registry("generator", "aar.testbeds.generators")
