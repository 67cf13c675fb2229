"""The full-size bench on the shapes of a tiny model: it runs everywhere, and speed changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from aar.bench import gpu
from aar.models.tuned.rules import Tuning
from aar.settings import LabFolder


def test_it_runs_on_any_device(tmp_path: Path) -> None:
    """Every figure of the GPU's table is there, finite and above zero where it is a speed."""
    pytest.importorskip("peft")
    figures = {f.what: f for f in gpu.run(LabFolder(tmp_path), lambda text: None)}
    assert {"matrix product", "copy", "LoRA training", "five seeds at once", "scoring", "features"} <= set(figures)
    assert all(f.value > 0 and (f.times_faster or 1) > 0 for f in figures.values() if f.unit != "MB")
    loss = figures["LoRA training, loss of the last batch"]
    assert loss.against is not None
    assert abs(loss.value - loss.against) < 0.01


def test_useful_work_counts_no_padding() -> None:
    """2 FLOP a weight a token, and attention over what came before."""
    import torch

    base = gpu.RandomBase(gpu.TINY, torch.device("cpu"))
    rows, truth = gpu.drawn(2, 64)
    bench = gpu.Bench(base, Tuning(), rows, truth, print)
    weights = sum(m.weight.numel() for m, _, _ in gpu.lora.linears(base).values())
    lengths = bench.lengths.astype(float)
    attention = (
        4 * 16 * 3 * sum(2 * t * t for t in lengths)
    )  # heads x width x layers x (scores and mixing, half of t^2 each)
    assert bench.work(1) == pytest.approx(2 * weights * lengths.sum() + attention)
