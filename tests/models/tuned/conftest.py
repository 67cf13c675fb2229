"""A tiny Qwen3 and pairs that it can learn to tell apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from aar.models.student import HeadStudent
from aar.models.toy import ArrayStore
from aar.models.tuned.fakes import tiny_qwen3
from aar.models.tuned.rules import Tuning
from aar.models.tuned.student import TunedStudent
from aar.types import Pair, Rows

torch.set_num_threads(1)
RULES = Tuning(lr=3e-3, rank=4, alpha=4, epochs=2, batch_size=8, tokens=100_000)


@pytest.fixture(scope="session")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_qwen3(tmp_path_factory.mktemp("qwen"))


def make_rows(n: int, seed: int = 0) -> tuple[Rows, np.ndarray]:
    """n pairs of unequal lengths and their truth [n]: the better reply says yes."""
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, 2, n).astype(np.float32)
    replies = [("yes" * int(draw.integers(1, 4)), "no" * int(draw.integers(1, 5))) for _ in range(n)]
    texts = [
        Pair(f"q{i}", b, a) if y else Pair(f"q{i}", a, b)
        for i, (y, (a, b)) in enumerate(zip(truth, replies, strict=True))
    ]
    return Rows("pair", tuple(f"{seed}-{i}" for i in range(n)), tuple(texts)), truth


@pytest.fixture
def student(qwen: Path) -> Callable[..., TunedStudent]:
    def make(rules: Tuning = RULES, **more: Any) -> TunedStudent:
        return TunedStudent(HeadStudent(ArrayStore(16), "tiny", "pair", 1, folder=qwen), rules, **more)

    return make
