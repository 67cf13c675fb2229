"""Every named loss: its formula, its gradient, and the traps of the code it comes from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aar.errors import MethodError, NotFound
from aar.models import losses
from aar.types import Batch

FLOAT = {"allow_nan": False, "allow_infinity": False, "width": 64}
# a grid without 0: a finite difference must not step over a tie or a threshold
GRID = st.integers(-80, 79).map(lambda i: i / 10 + 0.05)
LOGITS = arrays(np.float64, 7, elements=GRID, unique=True)
TARGETS = arrays(np.float64, 7, elements=st.floats(0.01, 0.99, **FLOAT))
WEIGHTS = arrays(np.float64, 7, elements=st.floats(0.1, 3, **FLOAT))


def batch(z: Any, w: Any, weight: Any = None, progress: float = 1.0, index: Any = None) -> Batch:
    z, w = torch.as_tensor(z), torch.as_tensor(w)
    weight = torch.ones_like(w) if weight is None else torch.as_tensor(weight)
    index = torch.arange(z.shape[-1]) if index is None else torch.as_tensor(index)
    return Batch(z, w, weight, index, None, progress, lambda: -z, lambda rows: z)


def p_of(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def ce(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return -q * np.log(p) - (1 - q) * np.log(1 - p)


def h2(p: np.ndarray) -> np.ndarray:
    return ce(p, p)


def threshold_labels(p: np.ndarray, w: np.ndarray) -> np.ndarray:
    """openai's rule, with columns [class 0, class 1]: class 0 where p0 >= quantile(p0, mean w1)."""
    return (1 - p < np.quantile(1 - p, w.mean())).astype(float)


def _gce(p: np.ndarray, w: np.ndarray) -> np.ndarray:
    return (1 - np.where(w > 0.5, p, 1 - p) ** 0.7) / 0.7


# name -> the elementwise formula of the sheet, in probabilities
FORMULAS = {
    "xent": ce,
    "logconf": lambda p, w: ce(p, 0.5 * w + 0.5 * threshold_labels(p, w)),
    "entropy": lambda p, w: 0.5 * ce(p, w) + 0.5 * h2(p),
    "product": lambda p, w: ce(p, p * w / (p * w + (1 - p) * (1 - w))),
    "window": lambda p, w: (np.maximum(p, 1 - p) < 0.65) * ce(p, w),
    "reverse_kl": lambda p, w: p * np.log(p / w) + (1 - p) * np.log((1 - p) / (1 - w)),
    "reverse_ce": lambda p, w: -(p * np.log(w) + (1 - p) * np.log(1 - w)),
    "gce": _gce,
    "sce": lambda p, w: ce(p, w) - p * np.maximum(np.log(w), -4) - (1 - p) * np.maximum(np.log(1 - w), -4),
    "bootstrap_soft": lambda p, w: ce(p, 0.95 * (w > 0.5) + 0.05 * p),
    "bootstrap_hard": lambda p, w: ce(p, 0.8 * (w > 0.5) + 0.2 * (p > 0.5)),
    "smoothed": lambda p, w: ce(p, 0.9 * (w > 0.5) + 0.05),
    "entropy_detached": lambda p, w: 0.5 * ce(p, w) + 0.5 * h2(p),
    "forward_corrected": lambda p, w: ce(p, 1.0 * (w > 0.5)),
    "backward_corrected": lambda p, w: ce(p, 1.0 * (w > 0.5)),
    "adaptconf": lambda p, w: (1 - adapted(p, w)) * (ce(p, w) - h2(w)) + adapted(p, w) * ce(p, 1.0 * (p > 0.5)),
}


def adapted(p: np.ndarray, w: np.ndarray) -> np.ndarray:
    """AdaptConf's b at temperature 1/2, in the exponentials of the paper."""
    own, theirs = np.exp(2 * ce(p, 1.0 * (p > 0.5))), np.exp(2 * ce(p, 1.0 * (w > 0.5)))
    return own / (own + theirs)


PURE = [n for n in losses.names() if not losses.make(n).stateful]


@pytest.mark.parametrize("name", sorted(FORMULAS))
@given(z=LOGITS, w=TARGETS, weight=WEIGHTS)
@settings(max_examples=25, deadline=None)
def test_formula(name: str, z: np.ndarray, w: np.ndarray, weight: np.ndarray) -> None:
    """Each loss is the weighted mean of its formula in probabilities."""
    got = losses.make(name)(batch(z, w, weight)).item()
    assert got == pytest.approx(np.average(FORMULAS[name](p_of(z), w), weights=weight), rel=1e-6, abs=1e-9)


DIFFERENTIABLE = sorted(set(PURE) - {"product", "window", "logconf", "bootstrap_hard", "entropy_detached", "adaptconf"})


@pytest.mark.parametrize("name", DIFFERENTIABLE)
@given(z=LOGITS, w=TARGETS, weight=WEIGHTS)
@settings(max_examples=25, deadline=None)
def test_gradient_equals_finite_differences(name: str, z: np.ndarray, w: np.ndarray, weight: np.ndarray) -> None:
    """Nothing that should carry a gradient is detached."""
    loss = losses.make(name)
    got = gradient(loss, batch(z, w, weight))
    step = 1e-5
    want = [
        (loss(batch(z + step * e, w, weight)) - loss(batch(z - step * e, w, weight))).item() / (2 * step)
        for e in np.eye(len(z))
    ]
    np.testing.assert_allclose(got, want, atol=1e-7, rtol=1e-4)


def gradient(loss: Any, b: Batch) -> np.ndarray:
    b.logits = b.logits.detach().requires_grad_()
    loss(b).sum().backward()
    return b.logits.grad.numpy()


DETACHED = {
    "product": lambda p, w: p * w / (p * w + (1 - p) * (1 - w)),
    "logconf": lambda p, w: 0.5 * w + 0.5 * threshold_labels(p, w),
    "bootstrap_hard": lambda p, w: 0.8 * (w > 0.5) + 0.2 * (p > 0.5),
    "entropy_detached": lambda p, w: 0.5 * w + 0.5 * p,
    "adaptconf": lambda p, w: (1 - adapted(p, w)) * w + adapted(p, w) * (p > 0.5),
}


@pytest.mark.parametrize("name", sorted(DETACHED))
@given(z=LOGITS, w=TARGETS)
@settings(max_examples=25, deadline=None)
def test_no_gradient_through_the_students_own_label(name: str, z: np.ndarray, w: np.ndarray) -> None:
    """The gradient is (p - target) / b with the target held fixed."""
    want = (p_of(z) - DETACHED[name](p_of(z), w)) / len(z)
    np.testing.assert_allclose(gradient(losses.make(name), batch(z, w)), want, atol=1e-9)


def test_window_has_no_gradient_outside() -> None:
    """A confident student is left alone; the sum is divided by all rows, not by those inside."""
    z, w = np.array([0.1, -0.2, 1.5, -4.0]), np.full(4, 0.9)
    got = gradient(losses.make("window"), batch(z, w))
    np.testing.assert_allclose(got, np.array([1, 1, 0, 0]) * (p_of(z) - w) / 4)
    assert losses.make("window", radius="midweak")(batch(z, w)).item() > losses.make("window")(batch(z, w)).item()


@pytest.mark.parametrize("name", PURE)
def test_many_fits_at_once_equal_each_alone(name: str) -> None:
    """[R, b] in, [R] out: the batched fast path is the same function."""
    draw = np.random.default_rng(0)
    z, w, weight = draw.normal(size=(5, 9)) * 3, draw.random((5, 9)), draw.random((5, 9))
    z[0, :4] = 0.5  # ties too
    together = losses.make(name)(batch(z, w, weight))
    alone = [losses.make(name)(batch(z[r], w[r], weight[r])).item() for r in range(5)]
    np.testing.assert_allclose(together, alone, rtol=1e-12)


@pytest.mark.parametrize("name", losses.names())
def test_huge_logits_and_hard_targets_stay_finite(name: str) -> None:
    """In float32, at logits of 10,000 and targets of exactly 0 and 1, value and gradient are numbers."""
    z = torch.tensor([1e4, -1e4, 1e4, -1e4, 0.0, 30.0])
    b = batch(z, torch.tensor([1.0, 0.0, 0.0, 1.0, 0.5, 0.0]))
    loss = losses.make(name).start()
    assert np.isfinite(gradient(loss, b)).all()
    assert torch.isfinite(loss(b)).all()


@pytest.mark.parametrize("name", losses.names())
def test_inputs_are_not_changed(name: str) -> None:
    """Neither the student's predictions nor the labels are written to."""
    b = batch(torch.randn(6), torch.rand(6))
    before = b.logits.clone(), b.target.clone(), b.weight.clone()
    step = losses.make(name).start()
    step(b), step(b)
    assert all(torch.equal(x, y) for x, y in zip(before, (b.logits, b.target, b.weight), strict=True))


@given(z=arrays(np.float64, 40, elements=GRID, unique=True), share=st.floats(0.02, 0.98))
@settings(max_examples=50, deadline=None)
def test_logconf_keeps_the_class_share(z: np.ndarray, share: float) -> None:
    """The student's hard labels have the weak labels' share of class 1, to one row, and follow its order."""
    p, w = torch.as_tensor(p_of(z)), torch.full((40,), share, dtype=torch.float64)
    label = losses.class_threshold(p, w)
    assert abs(label.mean().item() - share) <= 1 / 40 + 1e-9
    assert label.sum() == 0 or p[label == 1].min() >= p[label == 0].max()


def test_logconf_shares_ties_instead_of_calling_them_all_class_0() -> None:
    """A student that says the same of every row learns the class share, not one class."""
    label = losses.class_threshold(torch.full((8,), 0.5), torch.full((8,), 0.3))
    torch.testing.assert_close(label, torch.full((8,), 0.3))
    p = torch.tensor([0.9, 0.5, 0.5, 0.1])
    torch.testing.assert_close(losses.class_threshold(p, torch.full((4,), 0.5)), torch.tensor([1.0, 0.5, 0.5, 0.0]))


def test_logconf_warms_up() -> None:
    """Divided form: a_max s/s0 up to s0; the quirk of openai's code climbs to a_max s0 and jumps."""
    at = [losses.warmed(s, 0.5, 0.2) for s in (0, 0.1, 0.2, 0.3, 1)]
    assert at == pytest.approx([0, 0.25, 0.5, 0.5, 0.5])
    quirk = [losses.warmed(s, 0.5, 0.2, openai_quirk=True) for s in (0, 0.1, 0.2, 0.3, 1)]
    assert quirk == pytest.approx([0, 0.05, 0.1, 0.5, 0.5])
    b = batch(np.array([2.0, -1.0]), np.array([0.2, 0.9]), progress=0.0)
    assert losses.make("logconf")(b).item() == pytest.approx(losses.make("xent")(b).item())


def test_the_buffer_holds_the_last_predictions_and_belongs_to_one_fit() -> None:
    """A small batch is judged against what was predicted before it; another fit starts empty."""
    loss = losses.make("logconf_buffer", size=8)
    first, second = loss.start(), loss.start()
    for _ in range(4):
        first(batch(np.array([5.0, 6.0]), np.array([0.5, 0.5])))
    low = batch(np.array([1.0, 2.0]), np.array([0.5, 0.5]))
    p = p_of(np.array([1.0, 2.0]))
    # after many high ones both are below the median, hence class 0; a fresh fit calls the higher one class 1
    assert first(low).item() == pytest.approx(ce(p, np.array([0.25, 0.25])).mean())
    assert second(low).item() == pytest.approx(ce(p, np.array([0.25, 0.75])).mean())


def test_peer_is_the_mean_over_all_independent_draws() -> None:
    """The closed form equals averaging CE(p_i, y_i) - CE(p_j, y_k) over every j and k."""
    z, w = np.array([1.0, -2.0, 0.5]), np.array([0.9, 0.2, 0.4])
    p, y = p_of(z), (w > 0.5).astype(float)
    want = ce(p, y).mean() - np.mean([[ce(p[j], y[k]) for k in range(3)] for j in range(3)])
    assert losses.make("peer")(batch(z, w)).item() == pytest.approx(want)


def test_elr_remembers_each_row_by_its_index() -> None:
    """t <- b t + (1-b) p per row, from 0; the regulariser is mean ln(1 - <p, t>), t held fixed."""
    step = losses.make("elr", b=0.7, strength=1.0).start()
    z, y = np.array([2.0, -1.0]), np.array([1.0, 1.0])
    t = np.zeros((5, 2))
    for index in ([0, 3], [3, 0], [4, 0]):
        p = p_of(z)
        both = np.stack([1 - p, p], 1)
        t[index] = 0.7 * t[index] + 0.3 * both
        b = batch(z, y, index=index)
        want = (ce(p, y) + np.log(1 - (both * t[index]).sum(1))).mean()
        slope = p - y - (t[index, 1] - t[index, 0]) * p * (1 - p) / (1 - (both * t[index]).sum(1))
        b.logits.requires_grad_()
        loss = step(b)
        loss.backward()
        assert loss.item() == pytest.approx(want)
        np.testing.assert_allclose(b.logits.grad, slope / 2, rtol=1e-9)


def test_gce_lies_between_cross_entropy_and_mean_absolute_error() -> None:
    """q -> 0 is CE, q = 1 is 1 - p_y; truncated rows drop out."""
    b = batch(np.array([1.0, -2.0]), np.array([0.9, 0.8]))
    assert losses.make("gce", q=1e-7)(b).item() == pytest.approx(
        losses.make("xent")(batch(b.logits, [1.0, 1.0])).item()
    )
    assert losses.make("gce", q=1.0)(b).item() == pytest.approx((1 - p_of(b.logits.numpy())).mean())
    kept = losses.make("gce", truncate=0.5)(b).item()
    assert kept == pytest.approx((1 - p_of(np.array(1.0)) ** 0.7) / 0.7 / 2)


def test_a_row_of_weight_zero_is_no_row() -> None:
    """For losses that look at rows one by one."""
    for name in ("xent", "entropy", "gce", "reverse_kl", "bootstrap_soft", "peer"):
        three = batch(np.array([1.0, -2.0, 9.0]), np.array([0.9, 0.2, 0.1]), np.array([1.0, 2.0, 0.0]))
        two = batch(np.array([1.0, -2.0]), np.array([0.9, 0.2]), np.array([1.0, 2.0]))
        assert losses.make(name)(three).item() == pytest.approx(losses.make(name)(two).item()), name


def test_wrong_names_and_parameters_are_named() -> None:
    """Before any training starts."""
    with pytest.raises(NotFound, match="logconf"):
        losses.make("logcnof")
    with pytest.raises(MethodError, match="alpha"):
        losses.make("xent", alpha=1)
    with pytest.raises(MethodError, match="state"):
        losses.make("elr")(batch([0.0], [1.0]))
