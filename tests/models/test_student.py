"""HeadStudent, TrainedHead and HeadNet keep the method contract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from aar.errors import MethodError, Unsupported
from aar.models import extraction, texts
from aar.models.features import FeatureStore
from aar.models.student import HeadStudent
from aar.models.toy import ArrayStore, learnable
from aar.types import Fit, Model, Net, Rows


def test_it_is_a_model_and_opens_a_net(student: HeadStudent, pairs: Rows) -> None:
    """The protocols of aar.types, as a method sees them."""
    trained = student.fit([Fit(pairs, learnable(student, pairs))])[0]
    assert isinstance(student, Model)
    assert isinstance(trained, Model)
    assert isinstance(student.open(0), Net)


def test_features_of_pairs_have_three_sides(student: HeadStudent, store: ArrayStore, pairs: Rows) -> None:
    """diff = second - first; another layer on request; swapped rows are the negative."""
    first, second = student.features(pairs, side="first"), student.features(pairs, side="second")
    np.testing.assert_array_equal(student.features(pairs), second - first)
    np.testing.assert_array_equal(student.features(pairs.swap()), first - second)
    np.testing.assert_array_equal(first, store.get([texts.of(t)[0] for t in pairs.texts], 2))
    np.testing.assert_allclose(student.features(pairs, layer=4), 2 * student.features(pairs))


def test_claims_have_one_text(store: ArrayStore, claims: Rows, pairs: Rows) -> None:
    """diff is the claim itself, a side is unsupported, and rows of the other kind are refused."""
    student = HeadStudent(store, "toy", "binary", 2)
    np.testing.assert_array_equal(student.features(claims), store.get([texts.of(t)[0] for t in claims.texts], 2))
    with pytest.raises(Unsupported):
        student.features(claims, side="first")
    with pytest.raises(MethodError, match="binary"):
        student.features(pairs)


def test_an_untrained_student_does_not_predict(student: HeadStudent, pairs: Rows) -> None:
    """It says how to train one."""
    with pytest.raises(Unsupported, match="fit"):
        student.predict(pairs)


def test_a_trained_head_predicts_probabilities(student: HeadStudent, pairs: Rows) -> None:
    """In [0, 1], right on what it learned, mirrored on swapped rows."""
    y = learnable(student, pairs)
    model = student.fit([Fit(pairs, y)])[0]
    p = model.predict(pairs)
    assert p.shape == (80,)
    assert ((p > 0.5) == y).mean() > 0.95
    np.testing.assert_allclose(model.predict(pairs.swap()), 1 - p, atol=1e-6)
    assert model.predict(pairs.take([])).shape == (0,)


def test_without_a_folder_it_neither_scores_nor_generates(student: HeadStudent) -> None:
    """`can` says so, and the calls do."""
    assert student.can == {"features", "fit"}
    with pytest.raises(Unsupported):
        student.score(["a"], [["b"]])
    with pytest.raises(Unsupported):
        student.generate(["a"])


def test_with_a_folder_it_scores_and_generates(llama: Path, bert: Path, tmp_path: Path, pairs: Rows) -> None:
    """From extraction to samples, on a real (tiny) model; an encoder's folder adds nothing."""
    rows = pairs.take(range(12))
    model_id = extraction.extract(llama, texts.flat(rows.texts), tmp_path, [2], processes=1)
    student = HeadStudent(FeatureStore([tmp_path], model_id), "tiny", "pair", 2, "mean", llama)
    assert student.can == {"features", "fit", "score", "generate"}
    model = student.fit([Fit(rows, np.tile([0.0, 1.0], 6))])[0]
    assert model.predict(rows).shape == (12,)
    assert model.score(["a"], [["b", "c"]]).shape == (1, 2)
    assert len(model.generate(["a"], n=2, max_tokens=2)[0]) == 2
    assert HeadStudent(student.store, "e", "pair", 2, folder=bert).can == {"features", "fit"}


def test_a_net_trains_in_an_own_loop(student: HeadStudent, pairs: Rows) -> None:
    """parameters, batches, logits with gradient, freeze."""
    y = learnable(student, pairs)
    net = student.open(seed=1)
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.05)
    for _ in range(20):
        for rows, index in net.batches(pairs, batch_size=20):
            target = torch.from_numpy(y[index])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(net.logits(rows), target)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    model = net.freeze()
    p = model.predict(pairs)
    assert ((p > 0.5) == y).mean() > 0.95
    np.testing.assert_allclose(p, torch.sigmoid(net.logits(pairs)).detach(), atol=1e-6)
    assert net.hidden(pairs).shape == (80, 24)
    assert net.hidden(pairs).square().mean(0).numpy() == pytest.approx(1, rel=0.5)


def test_a_net_goes_by_its_seed(student: HeadStudent, pairs: Rows) -> None:
    """Same seed: same start and same batches; every epoch another order, each row once."""
    one, two, other = student.open(3), student.open(3), student.open(4)
    np.testing.assert_array_equal(one.get_vector(), two.get_vector())
    assert not np.array_equal(one.get_vector(), other.get_vector())
    epochs = [[i for _, index in net.batches(pairs) for i in index] for net in (one, two, one)]
    assert epochs[0] == epochs[1] != epochs[2]
    assert sorted(epochs[0]) == list(range(80))


def test_a_net_is_a_vector(student: HeadStudent, pairs: Rows) -> None:
    """For evolution strategies: get, perturb, set; a wrong length is refused."""
    net = student.open(0)
    before = net.logits(pairs).detach()
    vector = net.get_vector()
    net.set_vector(vector * 2)
    torch.testing.assert_close(net.logits(pairs).detach(), 2 * before, rtol=1e-4, atol=1e-5)
    assert all(p.requires_grad for p in net.parameters())
    net.set_vector(vector)
    torch.testing.assert_close(net.logits(pairs).detach(), before)
    with pytest.raises(MethodError):
        net.set_vector(vector[:-1])


def test_a_net_goes_on_from_a_trained_head(student: HeadStudent, pairs: Rows) -> None:
    """Its start is that head, and freezing it at once gives the head back."""
    model = student.fit([Fit(pairs, learnable(student, pairs))])[0]
    net = model.open()
    np.testing.assert_allclose(net.freeze().predict(pairs), model.predict(pairs), atol=1e-6)
    net.set_vector(net.get_vector() * 0)
    assert model.predict(pairs).std() > 0.1  # the model is not the net's memory


def test_a_net_that_read_nothing_cannot_be_frozen(student: HeadStudent) -> None:
    """Its scale is unknown; logprob of a head is unsupported."""
    with pytest.raises(MethodError, match="read"):
        student.open(0).freeze()
    with pytest.raises(Unsupported):
        student.open(0).logprob(["a"], [["b"]])


@pytest.mark.parametrize("shape", ["linear", "mlp"])
def test_binary_and_mlp_nets_work_alike(shape: str, store: ArrayStore, claims: Rows) -> None:
    """Bias and hidden units are parameters like the others."""
    student = HeadStudent(store, "toy", "binary", 2, shape=shape)  # type: ignore[arg-type]
    net = student.open(0)
    net.logits(claims).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    np.testing.assert_allclose(net.freeze().predict(claims), torch.sigmoid(net.logits(claims)).detach(), atol=1e-5)
