"""Losses for labels that are wrong in a known way: what they estimate, where one becomes another, the traps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aar.errors import MethodError
from aar.models import losses
from aar.types import Batch

RATE = st.floats(0.0, 0.45)
LOGIT = st.floats(-4, 4)


def batch(z: object, w: object) -> Batch:
    z, w = torch.as_tensor(z, dtype=torch.float64), torch.as_tensor(w, dtype=torch.float64)
    return Batch(z, w, torch.ones_like(w), torch.arange(len(z)), None, 1.0, lambda: -z, lambda rows: z)


def value(name: str, z: float, label: float, **params: float) -> float:
    return losses.make(name, **params)(batch([z], [label])).item()


@given(z=LOGIT, e0=RATE, e1=RATE, truth=st.sampled_from([0.0, 1.0]))
@settings(max_examples=60, deadline=None)
def test_backward_correction_is_unbiased(z: float, e0: float, e1: float, truth: float) -> None:
    """Averaged over the noise it is the cross-entropy on the clean label."""
    wrong = e0 if truth == 0 else e1
    mean = (1 - wrong) * value("backward_corrected", z, truth, e0=e0, e1=e1) + wrong * value(
        "backward_corrected", z, 1 - truth, e0=e0, e1=e1
    )
    assert mean == pytest.approx(value("xent", z, truth), abs=1e-9)


@given(e0=RATE, e1=RATE, p=st.floats(0.05, 0.95))
@settings(max_examples=60, deadline=None)
def test_forward_correction_is_minimal_at_the_clean_probability(e0: float, e1: float, p: float) -> None:
    """Labels that say 1 with probability (1 - e1) p + e0 (1 - p): plain cross-entropy settles there, the corrected at p."""
    says_one = (1 - e1) * p + e0 * (1 - p)
    z = torch.tensor([np.log(p / (1 - p))] * 2, dtype=torch.float64, requires_grad=True)
    b = batch(z, [1.0, 0.0])
    b.weight = torch.tensor([says_one, 1 - says_one], dtype=torch.float64)
    losses.make("forward_corrected", e0=e0, e1=e1)(b).backward()
    assert z.grad.sum().item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", ["forward_corrected", "backward_corrected"])
def test_rates_that_leave_no_information_are_refused(name: str) -> None:
    with pytest.raises(MethodError, match="noise rates"):
        value(name, 0.3, 1.0, e0=0.5, e1=0.5)


@given(z=LOGIT, w=st.floats(0.02, 0.98))
@settings(max_examples=40, deadline=None)
def test_limits_where_one_loss_becomes_another(z: float, w: float) -> None:
    """Zero rates, no smoothing, no truncation, b = 1, alpha = 0: cross-entropy on the hard label."""
    plain = value("xent", z, float(w > 0.5))
    for name, params in [
        ("forward_corrected", {}), ("backward_corrected", {}), ("smoothed", {"epsilon": 0.0}), ("gce", {"q": 1e-8}),
        ("bootstrap_soft", {"b": 1.0}), ("bootstrap_hard", {"b": 1.0}), ("peer", {"alpha": 0.0}),
    ]:  # fmt: skip
        assert value(name, z, w, **params) == pytest.approx(plain, abs=1e-6), name
    assert value("sce", z, w, alpha=1.0, beta=0.0) == pytest.approx(value("xent", z, w))
    assert value("gce", z, w, q=1.0) == pytest.approx(1 - 1 / (1 + np.exp(-z * (1 if w > 0.5 else -1))), abs=1e-9)
    assert value("logconf", z, w, a_max=0.0) == value("entropy", z, w, a_max=0.0) == value("xent", z, w)


def test_negative_smoothing_is_not_the_hard_label() -> None:
    """Targets beyond [0, 1] push further than hard ones do; a step that clips targets makes e < 0 and e = 0 the same."""
    slope = {}
    for epsilon in (-0.2, 0.0, 0.2):
        b = batch([2.0], [0.9])
        b.logits.requires_grad_()
        losses.make("smoothed", epsilon=epsilon)(b).backward()
        slope[epsilon] = b.logits.grad.item()
    assert slope[-0.2] < slope[0.0] < slope[0.2]


def test_the_entropy_term_as_coded_only_scales_the_weak_term() -> None:
    """EleutherAI's detached target leaves (1 - a) (p - w); a true entropy penalty pushes p outwards."""
    z, w = [1.0, -0.5], [0.2, 0.9]

    def slope(name: str, **params: float) -> np.ndarray:
        b = batch(z, w)
        b.logits.requires_grad_()
        losses.make(name, **params)(b).backward()
        return b.logits.grad.numpy()

    np.testing.assert_allclose(slope("entropy_detached", a_max=0.5), 0.5 * slope("xent"))
    p = 1 / (1 + np.exp(-np.array(z)))
    outward = -0.5 * p * (1 - p) * np.array(z) / 2
    np.testing.assert_allclose(slope("entropy", a_max=0.5) - 0.5 * slope("xent"), outward)


def test_adaptconf_weighs_both_alike_where_they_agree() -> None:
    """b = 1/2 on agreement; a student sure of the opposite is weighed less, as in the released code."""
    agree, torn = value("adaptconf", 2.0, 0.99), value("adaptconf", 2.0, 0.01)
    p = 1 / (1 + np.exp(-2.0))
    kl = 0.99 * np.log(0.99 / p) + 0.01 * np.log(0.01 / (1 - p))
    assert agree == pytest.approx(0.5 * kl - 0.5 * np.log(p))
    b = 1 / (1 + np.exp((-np.log(1 - p) + np.log(p)) / 0.5))
    assert b < 0.02
    assert torn == pytest.approx((1 - b) * (0.01 * np.log(0.01 / p) + 0.99 * np.log(0.99 / (1 - p))) - b * np.log(p))


def test_product_and_logconf_traps() -> None:
    """openai's product stores a warm-up that it never uses: ours takes none. EleutherAI's buffer grows the caller's list:
    ours belongs to the step and keeps at most `size`."""
    with pytest.raises(MethodError, match="warmup"):
        losses.make("product", warmup=0.1)
    step = losses.make("logconf_buffer", size=4).start()
    for _ in range(5):
        step(batch([0.5, -0.5], [0.6, 0.4]))
    kept = next(c.cell_contents for c in step.__closure__ or () if isinstance(c.cell_contents, torch.Tensor))
    assert len(kept) == 4


def test_balanced_buffer_calls_half_of_the_rows_class_one() -> None:
    """EleutherAI's balance_batch: whatever the mean weak label, the threshold is the median and labels centre on 1/2."""
    z, w = np.linspace(-1, 2, 6), np.full(6, 0.9)
    plain, balanced = (
        losses.make("logconf_buffer", size=6, warmup=0.0, a_max=1.0, balance=b).start() for b in (False, True)
    )
    ce = lambda q: (np.log1p(np.exp(z)) - q * z).mean()  # noqa: E731
    assert balanced(batch(z, w)).item() == pytest.approx(ce(np.array([0, 0, 0, 1, 1, 1])))
    assert plain(batch(z, w)).item() == pytest.approx(ce(np.array([0, 1, 1, 1, 1, 1])))
