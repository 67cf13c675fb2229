"""Near-duplicates are found by Hamming distance, complements included, and fast."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar.scoring.near import VectorIndex, pack


@given(st.integers(1, 300), st.integers(1, 150), st.integers(0, 2**32 - 1))
def test_the_nearest_is_what_a_plain_count_finds(n, m, seed):
    """Any number of rows (also not a multiple of 64), past the first growth."""
    rng = np.random.default_rng(seed)
    bits = rng.random((m, n)) < 0.5
    new = rng.random(n) < 0.5
    index = VectorIndex(n)
    for row in bits:
        index.add(pack(row.astype(float)))
    near = index.nearest(pack(new.astype(float)))
    differ = (bits != new).sum(axis=1)
    either = np.minimum(differ, n - differ)
    assert near.distance == pytest.approx(either.min() / n)
    assert either[near.index] == either.min()
    assert near.complement == (differ[near.index] * 2 > n)


def test_an_empty_index_has_no_nearest():
    """Nothing earlier, nothing near."""
    assert VectorIndex(10).nearest(pack(np.ones(10))) is None


def test_undecided_rows_are_near_neither_constant():
    """All .5 lies half-way between all ones and all zeros."""
    index = VectorIndex(100)
    index.add(pack(np.ones(100)))
    assert index.nearest(pack(np.full(100, 0.5))).distance == 0.5


def test_ten_thousand_earlier_vectors_take_under_two_milliseconds():
    """2,567 rows; the best of 20, since other work may share the machine."""
    rng = np.random.default_rng(0)
    index = VectorIndex(2567)
    for _ in range(10_000):
        index.add(rng.bytes(321)[:320] + b"\0")
    bits = rng.bytes(320) + b"\0"
    took = []
    for _ in range(20):
        start = time.perf_counter()
        index.nearest(bits)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.002
