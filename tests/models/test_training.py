"""Heads: odd in the pair, near the best linear one, the same alone and in company, and everything a Batch offers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from aar.errors import MethodError, Unsupported
from aar.models import losses
from aar.models.heads import Head, Shape
from aar.models.student import HeadStudent
from aar.models.toy import ArrayStore, learnable
from aar.models.training import RIDGE, STEPS, fit
from aar.types import Batch, Fit, Kind, Pair, Rows


def heads_of(student: HeadStudent, fits: list[Fit], shape: Shape = "linear") -> list[Head]:
    return fit(fits, student.read, student.kind, shape, ridge=student.ridge)


def noisy(student: HeadStudent, rows: Rows, seed: int) -> np.ndarray:
    flip = np.random.default_rng(seed).random(len(rows)) < 0.2
    return np.abs(learnable(student, rows) - flip).astype(np.float32)


def p_of(head: Head, student: HeadStudent, rows: Rows) -> np.ndarray:
    return 1 / (1 + np.exp(-head.logits(student.read(rows.texts))))


@pytest.mark.parametrize("shape", ["linear", "mlp"])
def test_a_head_on_pairs_is_odd(shape: Shape, student: HeadStudent, pairs: Rows) -> None:
    """p(swapped) = 1 - p, exactly, by construction."""
    head = heads_of(student, [Fit(pairs, noisy(student, pairs, 0))], shape)[0]
    x = student.read(pairs.texts)
    np.testing.assert_array_equal(head.logits(-x), -head.logits(x))
    assert "bias" not in head.params


@pytest.mark.parametrize("shape", ["linear", "mlp"])
def test_exchanging_sides_and_labels_changes_nothing(shape: Shape, student: HeadStudent, pairs: Rows) -> None:
    """Which response stands first is an accident, so the trained head must not depend on it."""
    target = noisy(student, pairs, 0)
    one, other = heads_of(student, [Fit(pairs, target), Fit(pairs.swap(), 1 - target)], shape)
    np.testing.assert_allclose(p_of(one, student, pairs), p_of(other, student, pairs), atol=1e-5)
    np.testing.assert_allclose(one.scale, other.scale, rtol=1e-6)


def jobs_of(student: HeadStudent, rows: Rows, batch_size: int | None) -> list[Fit]:
    """Fits that differ in targets, weights, seeds, subsets, losses, learning rates and lengths."""
    weight = np.random.default_rng(0).random(len(rows)).astype(np.float32)
    jobs = [
        Fit(rows.take(np.arange(50 + 3 * i)), noisy(student, rows, i)[: 50 + 3 * i], seed=i, batch_size=batch_size)
        for i in range(4)
    ]
    target = noisy(student, rows, 9)
    jobs += [Fit(rows, target, seed=7, loss=name, batch_size=batch_size) for name in ("xent", "logconf", "elr", "gce")]
    jobs += [Fit(rows, target, weight, seed=8, batch_size=batch_size), Fit(rows, target, lr=0.1, batch_size=batch_size)]
    own = lambda b: losses.make("xent")(b) + 0.01 * b.logits.square().mean()  # noqa: E731
    return [
        *jobs,
        Fit(rows, target, epochs=9, batch_size=batch_size),
        Fit(rows, target, loss=own, batch_size=batch_size),
    ]


@pytest.mark.parametrize("shape", ["linear", "mlp"])
@pytest.mark.parametrize("batch_size", [None, 16])
@pytest.mark.parametrize("kind", ["pair", "binary"])
def test_company_does_not_change_a_fit(
    kind: Kind, batch_size: int | None, shape: Shape, store: ArrayStore, pairs: Rows, claims: Rows
) -> None:
    """Every fit of a mixed list equals the same fit alone, to 1e-6 in P."""
    rows, student = (pairs, claims)[kind == "binary"], HeadStudent(store, "toy", kind, 2)
    jobs = jobs_of(student, rows, batch_size)
    for job, head in zip(jobs, heads_of(student, jobs, shape), strict=True):
        alone = heads_of(student, [job], shape)[0]
        np.testing.assert_allclose(p_of(head, student, rows), p_of(alone, student, rows), atol=1e-6)


@pytest.mark.parametrize("batch_size", [None, 16])
def test_the_same_call_gives_the_same_bytes(batch_size: int | None, student: HeadStudent, pairs: Rows) -> None:
    """On one thread, whatever the number of threads around it; another seed gives another head."""
    jobs = jobs_of(student, pairs, batch_size)
    before = torch.get_num_threads()
    one = heads_of(student, jobs)
    torch.set_num_threads(2)
    two = heads_of(student, jobs)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)
    for a, b in zip(one, two, strict=True):
        assert a.params["weight"].tobytes() == b.params["weight"].tobytes()
    other = heads_of(student, [replace(jobs[0], seed=99)])[0]
    assert not np.array_equal(other.params["weight"], one[0].params["weight"])


def test_the_defaults_converge_to_the_ridge_solution() -> None:
    """550 true labels, width 576, a spectrum like a language model's: the same head as an exact solver's, and far
    from chance."""
    draw = np.random.default_rng(0)
    mixing = draw.normal(size=(576, 576)) * (np.arange(1, 577) ** -0.7)[:, None]
    hidden = draw.normal(size=(1550, 576))
    x, y = (hidden @ mixing).astype(np.float32), (hidden[:, :40].sum(1) > 0).astype(np.float32)
    rows = Rows("pair", tuple(map(str, range(1550))), tuple(Pair(f"q{i}", "a", "b") for i in range(1550)))
    where = {text: i for i, text in enumerate(rows.texts)}
    train, test = np.arange(550), np.arange(550, 1550)
    scaled = x / np.sqrt((x[train] ** 2).mean(0))
    exact = LogisticRegression(C=1 / (550 * RIDGE), fit_intercept=False, tol=1e-8, max_iter=2000).fit(
        scaled[train], y[train]
    )
    head = fit([Fit(rows.take(train), y[train])], lambda texts: x[[where[t] for t in texts]], "pair")[0]
    ours, theirs = head.logits(x[test]), exact.decision_function(scaled[test])
    assert np.corrcoef(ours, theirs)[0, 1] > 0.99
    assert ((ours > 0) == (theirs > 0)).mean() > 0.97
    assert ((ours > 0) == y[test]).mean() > 0.8


def test_binary_heads_learn_the_base_rate(store: ArrayStore, claims: Rows) -> None:
    """Claims have no mirror image: the share of positives is in the bias, and an offset of all features is nothing."""
    student = HeadStudent(store, "toy", "binary", 2)
    head = heads_of(student, [Fit(claims, np.full(80, 0.9))])[0]
    assert p_of(head, student, claims).mean() == pytest.approx(0.9, abs=0.03)
    head = heads_of(student, [Fit(claims, noisy(student, claims, 0))])[0]
    shifted = Head("binary", head.params, head.shift + 1, head.scale)
    assert np.abs(shifted.logits(student.read(claims.texts) + 1) - head.logits(student.read(claims.texts))).max() < 1e-3


def test_weights_and_subsets_are_the_same_thing(student: HeadStudent, pairs: Rows) -> None:
    """Rows of weight 0 count neither in the loss nor, by a common factor, do all weights."""
    target, mask = noisy(student, pairs, 0), np.arange(80) % 2
    scale = heads_of(student, [Fit(pairs, target, epochs=1)])[0]
    cut = replace(Fit(pairs.take(mask == 1), target[mask == 1]))
    whole = Fit(pairs, target, mask * 3.0)
    got = fit([whole, cut], student.read, "pair", starts=[scale, scale])
    np.testing.assert_allclose(p_of(got[0], student, pairs), p_of(got[1], student, pairs), atol=1e-5)


def test_init_goes_on_where_the_other_stopped(student: HeadStudent, pairs: Rows) -> None:
    """Same parameters and scale at the start, a lower loss at the end."""
    target = noisy(student, pairs, 0)
    first = student.fit([Fit(pairs, target, epochs=20)])[0]
    still = student.fit([Fit(pairs.take(range(9)), target[:9], init=first, epochs=1, lr=0.0)])[0]
    np.testing.assert_allclose(still.predict(pairs), first.predict(pairs), atol=1e-6)
    more = student.fit([Fit(pairs, target, init=first, epochs=60)])[0]
    loss = [float(np.mean(-np.log(np.abs(1 - target - m.predict(pairs))))) for m in (first, more)]
    assert loss[1] < loss[0] - 0.01
    again = first.fit([Fit(pairs, target, epochs=60)])[0]
    np.testing.assert_array_equal(again.predict(pairs), more.predict(pairs))


@pytest.mark.parametrize("batch_size", [None, 16])
def test_everything_a_batch_offers_is_real(
    batch_size: int | None, student: HeadStudent, pairs: Rows, store: ArrayStore
) -> None:
    """index, hidden, progress, swapped, forward and unlabeled, checked against the rows they belong to."""
    target, weight = noisy(student, pairs, 0), np.linspace(0.5, 1.5, 80).astype(np.float32)
    free = replace(pairs, texts=tuple(Pair(f"free {i}", "a", "b") for i in range(80)))
    seen: list[float] = []
    spread = np.sqrt(np.square(student.features(pairs)).mean(0))

    def loss(b: Batch) -> torch.Tensor:
        index = b.index.numpy()
        np.testing.assert_allclose(b.target, target[index], rtol=1e-6)
        np.testing.assert_allclose(b.weight, weight[index], rtol=1e-6)
        assert b.hidden is not None
        assert b.unlabeled is not None
        np.testing.assert_allclose(b.hidden, (student.features(pairs) / spread)[index], rtol=1e-4)
        np.testing.assert_array_equal(b.swapped().detach(), -b.logits.detach())
        again = b.forward(pairs.take(index))
        np.testing.assert_allclose(again.detach(), b.logits.detach(), atol=1e-5)
        np.testing.assert_allclose(b.forward(pairs.swap().take(index)).detach(), b.swapped().detach(), atol=1e-5)
        assert all(z.requires_grad for z in (again, b.unlabeled, b.swapped()))
        assert b.unlabeled.shape == (batch_size or 80,)
        every = b.forward(free).detach()
        assert all((value == every).any() or torch.isclose(value, every).any() for value in b.unlabeled.detach())
        seen.append(b.progress)
        return losses.make("xent")(b)

    job = Fit(pairs, target, weight, loss=loss, unlabeled=free, epochs=2, batch_size=batch_size)
    named = heads_of(student, [replace(job, loss="xent", unlabeled=None)])[0]
    own = heads_of(student, [job, job])[0]
    steps = 2 * 80 // (batch_size or 80)
    assert sorted(seen) == pytest.approx(np.repeat(np.arange(steps) / steps, 2))
    np.testing.assert_allclose(p_of(own, student, pairs), p_of(named, student, pairs), atol=1e-5)


def test_unlabeled_rows_can_be_trained_on(student: HeadStudent, pairs: Rows) -> None:
    """An entropy term on them makes the head more certain there."""
    free = replace(pairs, texts=tuple(Pair(f"free {i}", "a", "b") for i in range(80)))

    def loss(b: Batch) -> torch.Tensor:
        assert b.unlabeled is not None
        return losses.make("xent")(b) + losses.entropy_of(b.unlabeled).mean()

    plain, sharp = heads_of(
        student, [Fit(pairs, np.full(80, 0.5)), Fit(pairs, np.full(80, 0.5), loss=loss, unlabeled=free)]
    )
    assert (
        np.abs(sharp.logits(student.read(free.texts))).mean()
        > 2 * np.abs(plain.logits(student.read(free.texts))).mean()
    )


def test_every_epoch_sees_every_row_once(student: HeadStudent, pairs: Rows) -> None:
    """Also where the batch size does not divide the rows: a batch may straddle two epochs, no row is left out."""
    seen: list[int] = []

    def loss(b: Batch) -> torch.Tensor:
        seen.extend(b.index.tolist())
        assert len(b.index) == 24
        return b.logits.square().mean()

    heads_of(student, [Fit(pairs, np.full(80, 0.5), loss=loss, epochs=3, batch_size=24)])
    assert [sorted(seen[i * 80 : (i + 1) * 80]) for i in range(3)] == [list(range(80))] * 3
    seen.clear()
    heads_of(student, [Fit(pairs, np.full(80, 0.5), loss=loss, batch_size=24)])
    assert len(seen) == 24 * STEPS


def test_swapped_needs_pairs(store: ArrayStore, claims: Rows) -> None:
    """A claim has no other side: unsupported, not zero."""
    student = HeadStudent(store, "toy", "binary", 2)
    with pytest.raises(Unsupported):
        heads_of(student, [Fit(claims, np.full(80, 0.5), loss=lambda b: b.swapped().mean())])


def test_bad_fits_are_refused_by_name(student: HeadStudent, pairs: Rows, claims: Rows) -> None:
    """Wrong lengths, wrong ranges, wrong kind of rows, a loss that is not a number, divergence."""
    half = np.full(80, 0.5)
    bad = [
        Fit(pairs, half[:5]), Fit(pairs, half + 1), Fit(pairs, half * np.nan), Fit(pairs, half, -half),
        Fit(pairs, half, half[:3]), Fit(pairs, half, half * 0), Fit(claims, half), Fit(pairs.take([]), half[:0]),
        Fit(pairs, half, loss=lambda b: b.logits), Fit(pairs, half, loss=lambda b: b.logits.mean() * np.inf),
    ]  # fmt: skip
    for job in bad:
        with pytest.raises(MethodError):
            heads_of(student, [job])
    assert heads_of(student, []) == []
