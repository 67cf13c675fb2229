"""The nearest neighbours are scikit-learn's, also across blocks and where k is everything; equals come in order."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from aar.methods.parts import neighbours
from aar.methods.parts.neighbours import nearest


@pytest.mark.parametrize("k", [1, 7, 40])
def test_scikit_learn_finds_the_same(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Distances and indices, with queries in five blocks."""
    monkeypatch.setattr(neighbours, "BLOCK", 13)
    rng = np.random.default_rng(k)
    query, points = rng.normal(size=(60, 8)), rng.normal(size=(40, 8))
    distance, index = nearest(query, points, k)
    oracle = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points).kneighbors(query)
    np.testing.assert_allclose(distance, oracle[0], atol=1e-9)
    np.testing.assert_array_equal(index, oracle[1])


def test_the_earlier_of_equals_comes_first() -> None:
    points = np.array([[1.0], [3.0], [1.0], [1.0]])
    assert nearest(np.array([[1.0]]), points, 3)[1].tolist() == [[0, 2, 3]]
