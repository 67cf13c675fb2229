"""Query patterns: label digging leaves traces that campaigns of real methods and their seeds do not."""

from __future__ import annotations

import numpy as np

from aar.scoring.gatelog import Entry
from aar.scoring.integrity.case import Case
from aar.scoring.integrity.queries import dispersion, find, vectors
from aar.scoring.near import pack

N = 600


def entry(i: int, v: np.ndarray, accuracy: float = 0.66, **change: object) -> Entry:
    fields = {"seq": i, "at": float(i), "lane": "interactive", "researcher": "r", "team": "t", "problem": "p", "rows": "x",
              "n": N, "bits": pack(v), "accuracy": accuracy, "paid": True, "like": None, "distance": None, "complement": False,
              "improved": False, "ladder": 0, "floor": 0.6, "step": 0.01, "level": 0}  # fmt: skip
    return Entry(**{**fields, **change})  # type: ignore[arg-type]


def labels(log: list[Entry]) -> list[str]:
    return [f.label for f in find(Case(np.zeros(N), np.zeros((1, N)), log=log))]


def methods(rng: np.random.Generator, count: int) -> list[np.ndarray]:
    """Vectors of real methods: common beliefs, each row with its own doubt."""
    margin = rng.normal(0, 1, N)
    return [(margin + rng.normal(0, rng.uniform(0.2, 0.6), N) > 0).astype(float) for _ in range(count)]


def test_campaigns_of_real_methods_are_silent() -> None:
    """Forty methods or seeds of one method, a few of them under the floor."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        log = [entry(i, v, accuracy=0.58 if i % 8 == 0 else 0.66) for i, v in enumerate(methods(rng, 40))]
        assert labels(log) == []


def test_redraws_of_one_vector_are_flagged() -> None:
    """A parked vector whose rows are redrawn at random, at any rate, and plain random vectors."""
    for rate in (0.03, 0.1, 0.5):
        rng = np.random.default_rng(0)
        base = rng.integers(0, 2, N)
        log = [entry(i, np.where(rng.random(N) < rate, 1 - base, base)) for i in range(20)]
        assert labels(log) == ["redraws of one vector"]


def test_near_duplicates_complements_and_parking_are_flagged() -> None:
    """By the marks that the gate left, and by accuracy against the floor."""
    rng = np.random.default_rng(0)
    many = methods(rng, 12)
    plain = [entry(i, v) for i, v in enumerate(many)]
    near = [entry(12 + i, many[0], like=0, distance=0.002, paid=False) for i in range(3)]
    assert labels(plain + near) == ["near-duplicate queries"]
    assert labels(plain + near[:2]) == []
    turned = [entry(12 + i, 1 - many[0], like=0, distance=0.0, complement=True, paid=False) for i in range(2)]
    assert labels(plain + turned) == ["complemented queries"]
    assert labels(plain + near[:2] + turned[:1]) == [], "each is counted by itself"
    assert labels([entry(i, v, accuracy=0.55) for i, v in enumerate(many)]) == ["queries below the floor"]


def test_dispersion_is_one_for_independent_flips() -> None:
    """And several times that where the same rows are in doubt."""
    rng = np.random.default_rng(3)
    for rate in (0.2, 0.5):
        even = vectors([entry(i, v) for i, v in enumerate((rng.random((30, N)) < rate).astype(float))])
        assert abs(dispersion(even)[1] - 1) < 0.25
    assert dispersion(np.stack(methods(rng, 30)))[1] > 2


def test_a_long_campaign_is_looked_at_to_its_end() -> None:
    """Copies that come after the first window count as well, also where they lie across two."""
    many = methods(np.random.default_rng(1), 140)
    for at in (48, 137):
        log = [entry(i, v) for i, v in enumerate(many)]
        log[at : at + 3] = [entry(at + i, many[0], like=0, distance=0.002, paid=False) for i in range(3)]
        assert labels(log) == ["near-duplicate queries"]
