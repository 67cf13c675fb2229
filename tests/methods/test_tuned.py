"""Methods that train the student's body, on a tiny causal model of Qwen3's architecture with LoRA; heads say no."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from aar.errors import Unsupported
from aar.methods import critic, effective_rank, generative, library, swap_consistency
from aar.methods.fakes import FakeStudent, WorldStore, toy_task
from aar.methods.parts import rank
from aar.models.student import HeadStudent
from aar.models.toy import ArrayStore
from aar.models.tuned.fakes import tiny_qwen3
from aar.models.tuned.rules import Tuning
from aar.models.tuned.student import TunedStudent
from aar.types import Claim, Pair, Rows, Task

TUNED = [n for n in library.methods() if "tune" in library.card(n).inputs]
QUICK = {
    "generative": {"lr": 1e-3},
    "effective_rank": {"lr": 1e-3, "epochs": 1},
    "critic": {"steps": 2, "group": 2, "batch": 4, "max_tokens": 4, "rows": 8, "judges": 1},
}


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """16 pairs of a good and a bad word, a teacher that knows which is which; eight trusted ones, a weak model."""
    folder: Path = tiny_qwen3(tmp_path_factory.mktemp("tiny"))
    frozen = HeadStudent(ArrayStore(16), "tiny", "pair", 1, folder=folder)
    y = np.random.default_rng(0).integers(0, 2, 24)
    sides = [("bad", "good") if one else ("good", "bad") for one in y]
    rows = Rows("pair", tuple(f"r{i:02d}" for i in range(24)), tuple(Pair(f"q{i}", *s) for i, s in enumerate(sides)))
    train = rows.take(np.arange(16)).with_weak(np.where(y[:16], 0.8, 0.2))
    trusted = replace(rows.take(np.arange(16, 24)), truth=y[16:].astype(np.float32))
    weak_model = HeadStudent(ArrayStore(16), "weak", "pair", 1)
    student, test = TunedStudent(frozen, Tuning(epochs=1)), rows.take(np.arange(16, 24))
    return Task("tiny", "pair", 0, train, test, student, labelled=trusted, weak_model=weak_model)


@pytest.mark.parametrize("name", TUNED)
def test_a_method_that_trains_the_body_keeps_the_contract(name: str, task: Task) -> None:
    """One probability per id, the same twice and for training rows in any order; a head is told that it cannot."""
    pytest.importorskip("trl" if name == "critic" else "torch")
    task = replace(task, params=QUICK[name])
    p = library.get(name).run(task).aligned(task.test.ids)
    turned = replace(task, train=task.train.take(np.arange(16)[::-1]))
    np.testing.assert_allclose(library.get(name).run(turned).aligned(task.test.ids), p, atol=1e-5)
    with pytest.raises(Unsupported, match="not run on this student"):
        library.get(name).run(toy_task("pair")[0])


def test_writing_the_texts_lowers_their_loss_and_moves_the_student(task: Task) -> None:
    """Both responses are learnt, whichever is better: no label enters."""
    net = task.student.open(0)
    seen = generative.write(net, task.train, epochs=3, lr=3e-3, batch_size=8)
    assert np.mean(seen[-2:]) < np.mean(seen[:2]) - 0.1
    told = task.train.with_weak(1 - task.train.weak)
    assert generative.written(told) == generative.written(task.train)
    assert all(len(both) == 2 for both in generative.written(task.train)[1])


class Hearing(FakeStudent):
    """A judge that calls the answer right whose critique is the shorter."""

    def predict(self, rows: Rows) -> np.ndarray:
        faults = [[len(side.rpartition("\n")[2]) for side in text[1:]] for text in rows.texts]
        return np.array([0.5 + np.sign((f[0] if len(f) == 2 else 5) - f[-1]) / 4 for f in faults])


def test_a_critique_is_worth_what_the_judges_make_of_it() -> None:
    """1 where they rule against the answer it criticises, 1/2 where they do not decide; the other answer keeps its first
    critique, and a claim is judged by itself."""
    judge = Hearing(WorldStore(1), "pair")
    pairs = Rows("pair", ("a", "b"), (Pair("q", "x", "y"), Pair("r", "x", "y")))
    assert len(critic.asked(pairs)) == 4
    first = [["12345", "123"], ["1", "12345"]]
    told = critic.worth([judge], pairs, first, [0, 0, 1, 3, 3], ["long one", "123", "long one", " 1 ", ""])
    assert told.tolist() == [1, 0.5, 1, 0.5, 0]
    assert first == [["12345", "123"], ["1", "12345"]]
    claims = Rows("binary", ("a",), (Claim("q", "x"),))
    assert critic.worth([judge], claims, [["-"]], [0, 0], ["long one", "1"]).tolist() == [1, 0]


def test_the_penalty_lowers_the_rank(task: Task) -> None:
    """Effective rank of the hidden states after training with and without."""
    ranks = []
    for weight in (0.0, 1.0):
        held = replace(task, params={"lr": 3e-3, "epochs": 3, "weight": weight, "batch_size": 16})
        ranks.append(_rank_after(held))
    assert ranks[1] < 0.9 * ranks[0]


def _rank_after(task: Task) -> float:
    nets, opened = [], task.student.open
    student = task.student
    student.open = lambda seed=0: nets.append(opened(seed)) or nets[-1]  # type: ignore[method-assign, func-returns-value]
    try:
        effective_rank.run(task)
    finally:
        del student.open  # type: ignore[method-assign]
    with torch.no_grad():
        return rank.effective_rank(nets[0].hidden(task.train)).item()


@pytest.mark.parametrize("measure", [rank.effective_rank, rank.participation_ratio])
def test_k_equal_directions_have_rank_k(measure: object) -> None:
    """Whatever the scale; and the gradient is finite at rank 1."""
    k = torch.linalg.qr(torch.randn(12, 5, generator=torch.Generator().manual_seed(0)))[0]
    k = k - k.mean(0)
    equal = torch.linalg.svd(k, full_matrices=False)
    flat = 7.0 * equal.U @ equal.Vh
    assert measure(flat).item() == pytest.approx(5, abs=1e-3)  # type: ignore[operator]
    line = torch.outer(torch.arange(6.0), torch.ones(4)).requires_grad_()
    value = measure(line)  # type: ignore[operator]
    value.backward()
    assert value.item() == pytest.approx(1, abs=1e-3)


def test_swap_consistency_is_vanilla_on_odd_heads(task: Task) -> None:
    """A head on feature differences has nothing to gain."""
    toy, _ = toy_task("pair")
    plain = library.get("vanilla").run(toy).aligned(toy.test.ids)
    np.testing.assert_allclose(swap_consistency.run(toy).aligned(toy.test.ids), plain, atol=1e-5)


def test_swap_consistency_cures_a_taste_for_a_position(task: Task) -> None:
    """A teacher that always says "the second": a student that reads both sides in order learns that, unless it is shown
    both orders and pays for answers that depend on them."""
    student = TunedStudent(task.student.frozen, Tuning(epochs=10, lr=1e-2))  # type: ignore[attr-defined]
    biased = replace(task, student=student, train=task.train.with_weak(np.full(16, 0.9)))
    plain = {"augment": False, "weight": 0.0}
    apart = [np.mean(_both_orders(replace(biased, params=p))) for p in (plain, {})]
    assert apart[0] > 0.3
    assert apart[1] < apart[0] / 4


def _both_orders(task: Task) -> np.ndarray:
    """[n] |p(x) + p(swap x) - 1| on the test rows."""
    p, swapped = (
        swap_consistency.run(replace(task, test=rows)).aligned(rows.ids) for rows in (task.test, task.test.swap())
    )
    return np.abs(p + swapped - 1)
