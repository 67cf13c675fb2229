"""What theory and publications say in numbers about learning from a weak teacher, in numpy: held-out gain and misfit, early
stopping of a wide student, projection in a convex class, the figures of a vision study.

More of it: tests/models/test_theory.py (heads and losses), parts/test_annotators.py, test_channel.py, test_contrast.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import minimize

from aar.scoring.metrics import pgr

Array = np.ndarray


def mlp(draw: np.random.Generator, widths: list[int]) -> Callable[[Array], Array]:
    """A random ReLU network."""
    layers = [draw.normal(size=(a, b)) * np.sqrt(2 / a) for a, b in itertools.pairwise(widths)]

    def run(x: Array) -> Array:
        for layer in layers[:-1]:
            x = np.maximum(x @ layer, 0)
        return x @ layers[-1]

    return run


def fitted(x: Array, y: Array) -> Array:
    """Least squares with an intercept: the coefficients [d + 1, ...]."""
    return np.linalg.lstsq(with_one(x), y, rcond=None)[0]


def with_one(x: Array) -> Array:
    return np.c_[x, np.ones(len(x))]


def test_misfit_foretells_the_gain_on_new_rows() -> None:
    """C1 (Charikar et al. 2405.15116, theorem 1): 100 tasks linear in a strong representation, a teacher linear in a weak one,
    4,000 rows each. On 20,000 new rows gain and misfit correlate at .99, their median ratio is .98, the student is better
    on all; errors fall by two fifths. In sample they are equal, which on new rows they need not be."""
    draw = np.random.default_rng(0)
    strong, weak = mlp(draw, [8, 32, 32, 32, 32, 16]), mlp(draw, [8, 16, 16])
    labelled, unlabelled, new = (draw.normal(size=(n, 8)) for n in (4000, 4000, 20_000))
    tasks = draw.normal(size=(17, 100))
    truth = {
        n: with_one(strong(x)) @ tasks for n, x in (("labelled", labelled), ("unlabelled", unlabelled), ("new", new))
    }
    teacher = fitted(weak(labelled), truth["labelled"])
    said = {n: with_one(weak(x)) @ teacher for n, x in (("unlabelled", unlabelled), ("new", new))}
    student = fitted(strong(unlabelled), said["unlabelled"])

    def gain_misfit_error(where: str, x: Array) -> tuple[Array, Array, Array]:
        learnt, f, w = with_one(strong(x)) @ student, truth[where], said[where]
        error = ((w - f) ** 2).mean(0)
        return error - ((learnt - f) ** 2).mean(0), ((learnt - w) ** 2).mean(0), error

    gain, misfit, error = gain_misfit_error("unlabelled", unlabelled)
    assert np.abs(gain - misfit).max() < 1e-10 * error.max()
    gain, misfit, error = gain_misfit_error("new", new)
    assert np.corrcoef(gain, misfit)[0, 1] > 0.99
    assert np.median(gain / misfit) == pytest.approx(0.984, abs=0.03)
    assert (gain > 0).all()
    assert (gain / error).mean() == pytest.approx(0.39, abs=0.1)
    assert (gain < misfit).any()


@pytest.mark.parametrize("seed", range(20))
def test_in_a_convex_class_the_gain_is_at_least_the_misfit(seed: int) -> None:
    """T1 for a norm ball that holds the truth on its edge: the student is the ball's best imitation of its teacher."""
    draw = np.random.default_rng(seed)
    x, b = draw.normal(size=(400, 6)), draw.normal(size=6)
    f = x @ b
    w = 3 * f + draw.normal(size=400) + x @ draw.normal(size=6)
    ball = {"type": "ineq", "fun": lambda v: b @ b - v @ v, "jac": lambda v: -2 * v}
    gram, lean = x.T @ x / 400, x.T @ w / 400
    best = minimize(lambda v: v @ gram @ v - 2 * lean @ v, np.zeros(6), jac=lambda v: 2 * (gram @ v - lean), method="SLSQP",
                    constraints=[ball], options={"ftol": 1e-14, "maxiter": 500}).x  # fmt: skip
    s = x @ best
    gain, misfit = ((w - f) ** 2).mean() - ((s - f) ** 2).mean(), ((s - w) ** 2).mean()
    assert gain > misfit - 1e-6
    assert best @ best == pytest.approx(b @ b, rel=1e-3), "the edge binds: in a subspace the two would be equal"


def kl(a: Array, b: Array) -> float:
    return float((a * np.log(a / b) + (1 - a) * np.log((1 - a) / (1 - b))).mean())


@pytest.mark.parametrize("seed", range(5))
def test_reverse_kl_in_a_class_of_mixtures(seed: int) -> None:
    """T2 (2502.11107, 2501.19105): probabilities convex in the class, f in it, g = argmin KL(g || w): KL(f || w) is at least
    KL(f || g) + KL(g || w)."""
    draw = np.random.default_rng(seed)
    parts = 1 / (1 + np.exp(-2 * draw.normal(size=(4, 500))))
    f = np.array([0.0, 0.2, 0.3, 0.5]) @ parts
    w = np.clip(f + 0.3 * draw.normal(size=500), 0.02, 0.98)
    share = {"type": "eq", "fun": lambda a: a.sum() - 1}
    best = minimize(lambda a: 1e3 * kl(a @ parts, w), np.full(4, 0.25), method="SLSQP", bounds=[(0, 1)] * 4,
                    constraints=[share], options={"ftol": 1e-12, "maxiter": 300}).x  # fmt: skip
    g = best @ parts
    assert kl(f, w) > kl(f, g) + kl(g, w) - 1e-7
    assert kl(f, g) < kl(f, w)


@pytest.mark.parametrize(("features", "rest", "d", "error"), [(200, 3e-3, 1200, 0.0156), (500, 1e-3, 2000, 0.0031)])
def test_a_stopped_wide_student_squares_its_teachers_error(features: int, rest: float, d: int, error: float) -> None:
    """C4 (2503.02877, section 4): covariance (1, rest, ..., rest), truth e1, a teacher of so many random features, an infinite
    student under gradient flow. Stopped in time its error is the teacher's squared; in the end it is the teacher's."""
    draw = np.random.default_rng(0)
    spectrum = np.r_[1.0, np.full(d - 1, rest)]
    basis, _ = np.linalg.qr(np.sqrt(spectrum)[:, None] * draw.normal(size=(d, features)))
    teacher = basis @ basis[0]  # e1 projected on what its features span
    formula = 1 / (1 + features / (rest * (d - 1 - features)))
    assert 1 - teacher[0] == pytest.approx(error, rel=0.1) == pytest.approx(formula, rel=0.1)

    def loss(t: float) -> float:
        learnt = -np.expm1(-spectrum * t) * teacher
        learnt[0] -= 1
        return float(learnt @ learnt)

    least = min(loss(t) for t in np.geomspace(0.1, 1e3, 400))
    assert 1 <= least / (1 - teacher[0]) ** 2 < 1.15
    assert loss(1e9) == pytest.approx(1 - teacher[0])


@pytest.mark.parametrize(("features", "error", "stopped"), [(100, 0.0433, 0.0064), (200, 0.0107, 0.0022)])
def test_a_relu_student_gains_when_stopped_and_loses_in_the_end(features: int, error: float, stopped: float) -> None:
    """C4, ReLU features on a sphere (d 16, 1,200 rows, a linear truth of size 1, a student of 1,500 features), on new rows:
    the best stop has less than a quarter of its teacher's error; trained to the end it is worse than its teacher."""
    draw = np.random.default_rng(0)
    x, new = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (draw.normal(size=(n, 16)) for n in (1200, 1500)))
    b, few, many = draw.normal(size=16), draw.normal(size=(16, features)), draw.normal(size=(16, 1500))
    truth = lambda v: 4 * v @ b / np.linalg.norm(b)  # noqa: E731
    weights = np.linalg.lstsq(np.maximum(x @ few, 0), truth(x), rcond=None)[0]
    weak, said = (np.maximum(v @ few, 0) @ weights for v in (x, new))
    wide = np.maximum(x @ many, 0)
    lam, axes = np.linalg.eigh(wide @ wide.T / 1500)
    to_new, along = np.maximum(new @ many, 0) @ wide.T / 1500 @ axes, axes.T @ weak

    def loss(filtered: Array) -> float:
        return float(((to_new @ (filtered * along) - truth(new)) ** 2).mean())

    teacher, positive = float(((said - truth(new)) ** 2).mean()), np.maximum(lam, 1e-9)
    best = min(loss(-np.expm1(-positive * t) / positive) for t in np.geomspace(0.1, 1e5, 60))
    assert teacher == pytest.approx(error, rel=0.4)
    assert best == pytest.approx(stopped, rel=0.4)
    assert best < teacher / 4
    assert loss((lam > 1e-9) / positive) > teacher


@pytest.mark.parametrize(("student", "ceiling", "value"), [(61.9, 64.5, 0.671), (66.6, 74.0, 0.575)])
def test_the_vision_study_in_pgr(student: float, ceiling: float, value: float) -> None:
    """C8: ImageNet accuracies of Burns et al.'s code, AlexNet (56.6) teaching ResNet-50 and ViT-B/8 heads."""
    assert pgr(student / 100, 0.566, ceiling / 100) == pytest.approx(value, abs=5e-4)


@pytest.mark.parametrize(
    ("rows", "floor", "ceiling", "flip", "error"),
    [
        (1263, 0.5280, 0.7325, 0.00387, 0.067),
        (1315, 0.5360, 0.7176, 0.00419, 0.074),
        (2567, 0.5768, 0.6936, 0.00334, 0.083),
    ],
)
def test_what_a_row_and_a_test_set_weigh(rows: int, floor: float, ceiling: float, flip: float, error: float) -> None:
    """C6: one flipped prediction moves PGR by so much on the published chat, maths and code rows; so large is the standard error
    that comes from their number alone, at an accuracy of .6."""
    middle = (floor + ceiling) / 2
    values = pgr(middle, floor, ceiling), pgr(middle + 1 / rows, floor, ceiling)
    assert all(isinstance(v, float) for v in values)
    assert float(values[1]) - float(values[0]) == pytest.approx(flip, rel=0.01)  # type: ignore[arg-type]
    assert np.sqrt(0.6 * 0.4 / rows) / (ceiling - floor) == pytest.approx(error, abs=0.0005)


@pytest.mark.parametrize(("seeds", "lucky"), [(5, 0.116), (10, 0.154), (20, 0.187), (50, 0.225)])
def test_what_the_best_of_many_seeds_adds(seeds: int, lucky: float) -> None:
    """C6: seeds whose PGR has a standard deviation of .1, the best of them shown."""
    draws = np.random.default_rng(0).normal(0, 0.1, (40_000, seeds))
    assert draws.max(1).mean() == pytest.approx(lucky, abs=0.002)


def test_a_student_that_agrees_with_its_neighbours_corrects_and_covers() -> None:
    """T6 (Lang et al. 2405.16043), in kind: where neighbourhoods expand (each row's neighbours share its class and the teacher's
    errors are not all in one place) a student that says the same of neighbours is better than its teacher where it spoke
    (correction) and where it did not (coverage). Errors that fill whole neighbourhoods are copied."""
    draw, clusters, size = np.random.default_rng(2), 200, 30
    truth = np.repeat(draw.integers(0, 2, clusters), size)
    spoke = draw.random(len(truth)) < 0.7

    def student(wrong: Array) -> Array:
        votes = np.where(spoke, np.where(wrong, 1 - truth, truth) * 2 - 1, 0).reshape(clusters, size).sum(1)
        return np.repeat(votes > 0, size) == truth

    scattered = draw.random(len(truth)) < 0.3
    right = student(scattered)
    assert right[spoke].mean() > 0.9 > (~scattered)[spoke].mean() + 0.1
    assert right[~spoke].mean() > 0.9
    whole = np.repeat(draw.random(clusters) < 0.3, size)
    assert student(whole)[spoke].mean() == pytest.approx((~whole)[spoke].mean(), abs=0.02)


def test_refining_labels_with_the_students_own_prior_undoes_what_imitation_copies() -> None:
    """T7 (Somerstep et al. 2405.16236), in kind: labels follow one of several concepts that the student knows; the teacher errs
    wherever a feature is large. Imitating it converges to its errors; labels refined by the posterior over concepts do not.
    Where the truth is none of the concepts, refining is no better (the limit of 2508.17018)."""
    draw, d, n = np.random.default_rng(3), 20, 20_000
    concepts, x = draw.normal(size=(5, d)), draw.normal(size=(n, d))
    x[:, 0] = draw.normal(size=n) * 2

    def accuracies(concept: Array) -> tuple[float, float]:
        truth = np.sign(x @ concept)
        weak = np.where(x[:, 0] > 1.0, -np.sign(x[:, 1]), truth)
        imitated = np.sign(with_one(x) @ fitted(x, weak))
        best = max(concepts, key=lambda c: float((np.sign(x @ c) == weak).mean()))  # the posterior's peak
        return float((imitated == truth).mean()), float((np.sign(x @ best) == truth).mean())

    imitation, refined = accuracies(concepts[2])
    assert refined == 1.0
    assert imitation < 0.95
    imitation, refined = accuracies(draw.normal(size=d))
    assert refined < imitation
