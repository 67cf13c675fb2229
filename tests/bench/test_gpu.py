"""The full-size bench on the shapes of a tiny model: it runs everywhere, and speed changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from aar.bench import gpu
from aar.models.tuned.optim import LaneAdamW
from aar.models.tuned.rules import Tuning
from aar.settings import LabFolder

CLOSE = 0.01  # nats between our last loss and the stock trainer's
RULES = Tuning(epochs=1, lr=gpu.LR, warmup=0.0, tokens=4096)


def bench(rules: Tuning = RULES) -> gpu.Bench:
    rows, truth = gpu.drawn(256, 64)
    return gpu.Bench(gpu.RandomBase(gpu.TINY, torch.device("cpu")), rules, rows, truth, print)


def test_it_runs_on_any_device(tmp_path: Path) -> None:
    """Every figure of the GPU's table is there, finite and above zero where it is a speed; both sides learned the same."""
    pytest.importorskip("peft")
    figures = {f.what: f for f in gpu.run(LabFolder(tmp_path), lambda text: None)}
    assert {"matrix product", "copy", "LoRA training", "five seeds at once", "scoring", "features"} <= set(figures)
    assert all(f.value > 0 and (f.times_faster or 1) > 0 for f in figures.values() if f.unit != "MB")
    loss = figures["LoRA training, loss of the last batch"]
    assert loss.against is not None
    assert loss.value < 0.3  # from about ln 2
    assert abs(loss.value - loss.against) < CLOSE


def test_training_that_is_broken_shows_in_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """No steps, steps of half the size, or every second gradient lost: each is further off than sound training may be."""
    _, sound = gpu.ours(bench(), 1)
    _, slow = gpu.ours(bench(replace(RULES, lr=RULES.lr / 2)), 1)
    step = LaneAdamW.step

    def every_second(self: LaneAdamW, count: int, rates: torch.Tensor, totals: torch.Tensor) -> None:
        step(self, count, rates if count % 2 else rates * 0, totals)

    monkeypatch.setattr(LaneAdamW, "step", every_second)
    _, skipping = gpu.ours(bench(), 1)
    monkeypatch.setattr(LaneAdamW, "step", lambda *args: None)
    _, still = gpu.ours(bench(), 1)
    assert min(slow - sound, skipping - sound) > 2 * CLOSE
    assert still - sound > 0.3


def test_useful_work_counts_no_padding() -> None:
    """2 FLOP a weight a token, and attention over what came before."""
    rows, truth = gpu.drawn(2, 64)
    small = replace(bench(Tuning()), rows=rows, truth=truth)
    weights = sum(m.weight.numel() for m, _, _ in gpu.lora.linears(small.base).values())
    lengths = small.lengths.astype(float)
    attention = (
        4 * 16 * 3 * sum(2 * t * t for t in lengths)
    )  # heads x width x layers x (scores and mixing, half of t^2 each)
    assert small.work(1) == pytest.approx(2 * weights * lengths.sum() + attention)
