"""Company, micro-batches, memory and kills change nothing about what a finetuned student becomes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from aar.errors import InputError, LabError, ProviderDown
from aar.models import losses
from aar.models.tuned import loop
from aar.models.tuned.base import Base
from aar.models.tuned.student import TunedStudent
from aar.types import Batch, Fit

from .conftest import RULES, make_rows

Make = Callable[..., TunedStudent]


def logits(models: list[Any], seed: int = 9) -> np.ndarray:
    return np.stack([m.logits(make_rows(12, seed)[0]) for m in models])


def worst(batch: Batch) -> torch.Tensor:
    """A loss that is no mean of rows."""
    return (
        torch.nn.functional.softplus(batch.logits * (1 - 2 * batch.target)).max() + batch.hidden.square().mean() / 100
    )  # type: ignore[union-attr]


def test_it_learns(student: Make) -> None:
    """It tells yes from no on unseen rows."""
    rows, truth = make_rows(64)
    others, wanted = make_rows(64, 1)
    (model,) = student(replace(RULES, rank=16, alpha=32, epochs=8)).fit([Fit(rows, truth)])
    assert ((model.predict(others) > 0.5) == wanted).mean() > 0.9


@pytest.mark.parametrize("how", ["lora", "full"])
def test_company_changes_nothing(student: Make, how: Any) -> None:
    """Fits of unequal length side by side end as each alone."""
    rows, truth = make_rows(24)
    jobs = [
        Fit(rows, truth, seed=1),
        Fit(rows.take(range(16)), 1 - truth[:16], seed=2, lr=1e-3),
        Fit(rows, truth, loss="logconf", seed=3),
    ]
    rules = replace(RULES, how=how)
    alone = [student(rules).fit([job])[0] for job in jobs]
    np.testing.assert_allclose(logits(student(rules).fit(jobs)), logits(alone), atol=2e-4)


@pytest.mark.parametrize("loss", ["xent", "logconf", losses.make("gce", q=0.3), worst])
def test_micro_batches_give_the_gradient_of_the_whole_batch(student: Make, loss: Any) -> None:
    """With room for two rows a pass, the same student as with room for all."""
    rows, truth = make_rows(16)
    weight = np.linspace(0.5, 2, 16)
    whole, cut = (
        student(replace(RULES, tokens=t)).fit([Fit(rows, truth, weight, loss, s) for s in (0, 1)]) for t in (10**6, 600)
    )
    np.testing.assert_allclose(logits(whole), logits(cut), atol=2e-4)


@pytest.mark.parametrize("name", sorted(loop.ROW_BY_ROW))
def test_losses_called_row_by_row_are(name: str) -> None:
    """The weighted parts of a batch add up to the batch, for losses whose gradients are summed over micro-batches."""
    draw = torch.Generator().manual_seed(0)
    z, w, c = torch.randn(9, generator=draw), torch.rand(9, generator=draw), torch.rand(9, generator=draw) + 0.1

    def value(at: slice) -> torch.Tensor:
        index = torch.arange(9)[at]
        return losses.make(name)(Batch(z[at], w[at], c[at], index, None, 0.5, lambda: -z[at], lambda rows: z))

    parts = sum(value(at) * c[at].sum() / c.sum() for at in (slice(0, 4), slice(4, 9)))
    torch.testing.assert_close(parts, value(slice(None)))


def test_memory_that_runs_out_makes_smaller_passes(student: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that holds three rows gives the same student; one that holds none says what to do."""
    rows, truth = make_rows(16)
    whole = student().fit([Fit(rows, truth)])
    real, room = Base.states, 500

    def small(self: Base, ids: Any) -> torch.Tensor:
        if len(ids) * max(map(len, ids)) > room and torch.is_grad_enabled():
            raise torch.OutOfMemoryError
        return real(self, ids)

    monkeypatch.setattr(Base, "states", small)
    np.testing.assert_allclose(logits(student().fit([Fit(rows, truth)])), logits(whole), atol=2e-4)
    room = 10
    with pytest.raises(LabError, match="does not fit"):
        student().fit([Fit(rows, truth)])


def test_recomputed_activations_give_the_same_gradient(student: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, truth = make_rows(16)
    jobs = [Fit(rows, truth, seed=s) for s in (0, 1)]
    whole, init = student().fit(jobs), loop._Training.__init__

    def recomputing(self: Any, *args: Any) -> None:
        init(self, *args)
        self.recompute = True

    monkeypatch.setattr(loop._Training, "__init__", recomputing)
    np.testing.assert_allclose(logits(student().fit(jobs)), logits(whole), atol=1e-5)


@pytest.mark.parametrize("how", ["lora", "full"])
def test_a_killed_training_goes_on_to_the_same_weights(student: Make, tmp_path: Path, how: Any) -> None:
    """Killed after one lane had ended and another had not; bit for bit, and the checkpoint is gone afterwards."""
    rows, truth = make_rows(24)
    jobs = [Fit(rows.take(range(8)), truth[:8], seed=1, batch_size=8), Fit(rows, truth, seed=2, batch_size=8)]
    rules = replace(RULES, how=how, save_s=0.0)

    def dies(step: int, **_: Any) -> None:
        if step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        student(rules, folder=tmp_path, report=dies).fit(jobs)
    assert list(tmp_path.glob("*.safetensors"))
    steps: list[int] = []
    resumed = student(rules, folder=tmp_path, report=lambda step, **_: steps.append(step)).fit(jobs)
    assert steps == [4, 5, 6], "it began again"
    np.testing.assert_array_equal(logits(resumed), logits(student(rules).fit(jobs)))
    assert not list(tmp_path.glob("*"))


def test_the_base_is_as_it_was(student: Make) -> None:
    """Neither adapters nor whole finetuning leave a trace on the shared weights."""
    rows, truth = make_rows(8)
    for how in ("lora", "full"):
        made = student(replace(RULES, how=how))
        before = {k: v.clone() for k, v in made.base.model.state_dict().items()}
        made.fit([Fit(rows, truth)])[0].predict(rows)
        after = made.base.model.state_dict()
        assert all(torch.equal(after[k], v) for k, v in before.items())
        assert not any(m._forward_hooks for m in made.base.model.modules())


def test_a_row_reads_the_same_in_any_batch(student: Make) -> None:
    """Padding on the right is never seen."""
    base, rows = student().base, make_rows(6)[0]
    ids = base.encode(rows.texts)
    together = base.states(ids)
    torch.testing.assert_close(together, torch.cat([base.states([i]) for i in ids]), atol=1e-5, rtol=1e-4)


def test_labels_that_start_alike_are_refused(student: Make) -> None:
    made = student()
    made.base.tokenizer = type("T", (), {"__call__": lambda self, text, **k: {"input_ids": [7]}})()
    with pytest.raises(InputError, match="same token"):
        made.base.readout("pair")


def test_fits_are_spread_over_the_devices(student: Make, tmp_path: Path) -> None:
    """Three fits on two devices are what they are on one, in their order, and each device had its share."""
    rows, truth = make_rows(16)
    fits = [Fit(rows, truth, seed=s) for s in (0, 1, 2)]
    alone, spread = student(), student(devices=("cpu", "cpu"), folder=tmp_path)
    steps: list[int] = []
    spread.report = lambda step, **_: steps.append(step)
    for one, other in zip(alone.fit(fits), spread.fit(fits), strict=True):
        np.testing.assert_allclose(one.predict(rows), other.predict(rows), atol=1e-5)
    assert len(spread.bases) == 2
    assert all("model" in base.__dict__ for base in spread.bases)  # both had work
    assert len(steps) == 2 * 4  # two trainings of 2 x 16 / 8 steps
    assert not list(tmp_path.iterdir())
    (further,) = spread.fit([Fit(rows, truth, seed=3, init=spread.fit(fits)[2])])
    assert further.predict(rows).shape == (16,)


def test_predicting_shrinks_where_memory_runs_out(student: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same answers from smaller batches; one row that does not fit is the end."""
    rows, truth = make_rows(12)
    (model,) = student().fit([Fit(rows, truth, epochs=1)])
    expected, real, room = model.predict(rows), Base.states, 500

    def small(self: Base, ids: Any) -> torch.Tensor:
        if len(ids) * max(map(len, ids)) > room:
            raise torch.OutOfMemoryError
        return real(self, ids)

    monkeypatch.setattr(Base, "states", small)
    np.testing.assert_allclose(model.predict(rows), expected, atol=1e-6)
    room = 10
    with pytest.raises(LabError, match="does not fit"):
        model.predict(rows)


def test_eight_bits_change_little(student: Make) -> None:
    """Moments in 8 bits train to nearly the same; they are uint8 in memory."""
    pytest.importorskip("bitsandbytes")
    rows, truth = make_rows(32)
    whole, eight = (student(replace(RULES, optimizer=how, epochs=6)) for how in ("adamw", "adamw_8bit"))
    (one,), (other,) = (s.fit([Fit(rows, truth)]) for s in (whole, eight))
    assert ((one.predict(rows) > 0.5) == (other.predict(rows) > 0.5)).mean() > 0.9
    np.testing.assert_allclose(one.predict(rows), other.predict(rows), atol=0.1)
    from aar.models.tuned.eight_bit import EightBit

    kept = EightBit([("w", torch.rand(2, 600))], root=True)
    assert {values.dtype for values, _ in kept.kept["w"]} == {torch.uint8}
    assert (kept["w"] >= 0).all()


def test_without_bitsandbytes_it_says_what_to_install(student: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    rows, truth = make_rows(8)
    with pytest.raises(ProviderDown) as caught:
        student(replace(RULES, optimizer="adamw_8bit")).fit([Fit(rows, truth)])
    assert "aar-lab[gpu]" in caught.value.hint


@pytest.mark.soak
def test_compiled_blocks_compute_the_same(student: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adapters are hooks that come and go: training, predicting and the bare base agree with what is not compiled. The
    graphs and their guards are what this is about, so no machine code is made of them."""
    monkeypatch.setattr("aar.models.tuned.base.COMPILER", "aot_eager")
    rows, truth = make_rows(16)
    plain, compiled = student(), student(replace(RULES, compile=True))
    for one in (plain, compiled):
        one.base.states(
            one.base.encode(rows.texts)
        )  # first without an adapter: what is kept must not be reused with one
    ours, theirs = plain.fit([Fit(rows, truth)]), compiled.fit([Fit(rows, truth)])
    np.testing.assert_allclose(logits(theirs), logits(ours), atol=1e-3)
    ids = plain.base.encode(rows.texts)
    torch.testing.assert_close(compiled.base.states(ids), plain.base.states(ids), atol=1e-4, rtol=1e-4)
