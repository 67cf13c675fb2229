"""Moments of the optimiser in 8 bits a number instead of 32, by bitsandbytes (Dettmers et al. 2022, arXiv 2110.02861).

Each lane is quantised by itself, in blocks of 256, so that company changes nothing. Second moments are kept as their roots,
whose range is half as wide. What is taken out is float32; what is put in is rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any

import torch
from torch import Tensor

from aar.errors import ProviderDown

BLOCK = 256


class EightBit(MutableMapping[str, Tensor]):
    """Like a dict of tensors [R, ...]. `root`: values are not negative, and kept as square roots."""

    def __init__(self, values: Iterable[tuple[str, Tensor]], *, root: bool) -> None:
        self.root, self.codec = root, _codec()
        self.map = self.codec.create_dynamic_map(signed=not root)
        self.kept: dict[str, list[Any]] = {}
        self.update(values)

    def __getitem__(self, name: str) -> Tensor:
        lanes = [self.codec.dequantize_blockwise(values, state) for values, state in self.kept[name]]
        found = torch.stack(lanes)
        return found.square_() if self.root else found

    def __setitem__(self, name: str, value: Tensor) -> None:
        given = value.sqrt() if self.root else value
        self.map = self.map.to(value.device)
        self.kept[name] = [
            self.codec.quantize_blockwise(lane.contiguous(), self.map, blocksize=BLOCK) for lane in given
        ]

    def __delitem__(self, name: str) -> None:
        del self.kept[name]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.kept))

    def __len__(self) -> int:
        return len(self.kept)


def _codec() -> Any:
    try:
        from bitsandbytes import functional
    except ImportError:
        raise ProviderDown(
            "Tuning.optimizer adamw_8bit needs bitsandbytes, which is not installed",
            code="not_installed",
            hint="pip install 'aar-lab[gpu]', or leave the optimizer at adamw",
        ) from None
    return functional
