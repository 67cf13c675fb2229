"""What counts as the same answer is read from the text, and labels obey it. Traps of public releases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aar.methods import born_again, icm_finetuned, zero_shot
from aar.methods.fakes import toy_task
from aar.methods.parts.coherence import repaired, temperature, utility
from aar.methods.parts.consistency import broken, consistent, disputed, key, ties
from aar.methods.parts.harden import hardened
from aar.types import Claim, Pair, Rows


def claims(*answers: str, question: str = "6 x 7?") -> Rows:
    return Rows("binary", tuple(map(str, range(len(answers)))), tuple(Claim(question, a) for a in answers))


def test_the_key_of_a_claim_is_its_answer() -> None:
    """Worked solutions that end alike are one answer; a pair differs from its mirror image."""
    assert key(Claim("q", "6 x 7 is \\boxed{42}")) == key(Claim("q", "So the answer is 42.")) == "42"
    assert key(Claim("q", "we get #### 1,000")) == key(Claim("q", "Answer: 1000")) == "1000"
    assert key(Claim("q", "Answer: 41")) != key(Claim("q", "Answer: 42"))
    assert key(Pair("q", "a", "b")) != key(Pair("q", "b", "a"))


def test_no_label_enters_a_key() -> None:
    """Several releases derive the consistency key from gold labels; here truth and weak labels of the rows change nothing."""
    rows = claims("answer: 1", "answer: 2", "answer: 2", "answer: 3")
    told = replace(rows, truth=np.array([0, 1, 1, 0.0]), weak=np.array([1, 0, 0, 1], np.float32))
    margin = np.array([0.3, -0.2, 0.9, 0.1])
    np.testing.assert_array_equal(consistent(rows, margin), consistent(told, margin))
    assert ties(rows) == ties(told)


def test_of_a_questions_claims_one_answer_is_true() -> None:
    """Both rows of the winning answer, whichever of them won."""
    rows = claims("answer: 1", "answer: 2", "it is \\boxed{2}", "answer: 3")
    np.testing.assert_array_equal(consistent(rows, np.array([0.3, -0.2, 0.9, 0.1])), [0, 1, 1, 0])
    assert disputed(rows).all()
    assert not disputed(claims("answer: 2", "answer: 2")).any()


def test_contradictions_are_found_and_repaired() -> None:
    """Two different answers both true, and one answer both true and false; the supported labels stay."""
    rows = claims("answer: 1", "answer: 2", "answer: 2")
    tied, odds = ties(rows), np.array([0.5, 2.0, 1.0])
    wrong = np.array([1, 1, 0])
    assert len(broken(rows, tied, wrong)) == 2
    value = lambda y: utility(rows, tied, y, odds, 1.0)  # noqa: E731
    fixed = repaired(rows, tied, wrong, value, np.random.default_rng(0))
    assert not broken(rows, tied, fixed)
    np.testing.assert_array_equal(fixed, [0, 1, 1])
    mirror = Rows("pair", ("a", "b"), (Pair("q", "x", "y"), Pair("q", "y", "x")))
    assert broken(mirror, ties(mirror), np.array([1, 1]))
    assert not broken(mirror, ties(mirror), np.array([1, 0]))


def test_the_search_cools_with_its_flips() -> None:
    """T = max(.01, 10 / (1 + 2 ln(1 + flips)))."""
    np.testing.assert_allclose([temperature(0), temperature(9)], [10.0, 10 / (1 + 2 * np.log(10))])
    assert temperature(10**300) == 0.01


def test_unsupervised_methods_do_not_read_the_teacher() -> None:
    """Zero-shot answers are the same whatever the teacher says; the finetuned search takes one bit, the sign."""
    task, _ = toy_task("pair", n=60)
    noise = np.random.default_rng(3).uniform(0.1, 0.9, len(task.train)).astype(np.float32)
    other = replace(task, train=task.train.with_weak(noise))
    p, q = (zero_shot.run(t).aligned(task.test.ids) for t in (task, other))
    np.testing.assert_array_equal(p, q)
    quick = {"restarts": 1, "steps": 2}
    p, q = (icm_finetuned.run(replace(t, params=quick)).aligned(task.test.ids) for t in (task, other))
    same, turned = np.abs(p - q).max(), np.abs(p + q - 1).max()
    assert min(same, turned) < 0.03 < max(same, turned)  # heads start at random weights, not at 0


def test_hardening_again_and_again_keeps_the_classes() -> None:
    """At one half a student of claims that leans to one class calls everything it in a few rounds; by share it does not."""
    p = np.linspace(0.55, 0.9, 50)
    assert hardened(p, 0.4, "binary").mean() == 0.4
    assert (p > 0.5).all()  # what hardening at one half would do
    task, _ = toy_task("binary", n=60)
    answer = born_again.run(replace(task, params={"iterations": 4})).aligned(task.test.ids)
    assert 0.1 < (answer > 0.5).mean() < 0.9
