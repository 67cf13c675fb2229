"""The error of a difference in accuracy: by group of rows, and from seed to seed."""

from __future__ import annotations

import numpy as np
import pytest

from aar.scoring.integrity.case import paired


def test_rows_of_one_group_count_once() -> None:
    """Every row four times over says no more than the row itself, so the error stays what it was."""
    rng = np.random.default_rng(0)
    a, b = ((rng.random((1, 200)) < share).astype(float) for share in (0.8, 0.6))
    alone = paired(a, b)
    fourfold = paired(np.repeat(a, 4, axis=1), np.repeat(b, 4, axis=1), np.repeat(np.arange(200), 4))
    assert fourfold == pytest.approx(alone)
    assert fourfold[1] == pytest.approx(2 * paired(np.repeat(a, 4, axis=1), np.repeat(b, 4, axis=1))[1])


def test_seeds_that_differ_widen_the_error() -> None:
    """Two seeds, all right and all wrong: rows that agree about it say nothing of the next seed."""
    torn, steady = np.repeat([[1.0], [0.0]], 400, axis=1), np.tile([1.0, 0.0], (2, 200))
    assert paired(torn, steady)[1] == pytest.approx(np.hypot(0.5, 0.5 / 20))
