"""Directions: nine and none, vague, and each a family that can be drawn from."""

from __future__ import annotations

import re

import numpy as np
import pytest

from aar.errors import NotFound
from aar.researchers import space
from aar.researchers.starts import direction, names


def test_nine_and_none() -> None:
    """Nine directions, none last, all different."""
    assert len(names()) == 10
    assert names()[-1] == "none"
    assert len({direction(n).text for n in names()}) == 10
    assert direction("none").family == {}


@pytest.mark.parametrize("name", names())
def test_a_direction_is_vague_and_can_be_drawn_from(name: str) -> None:
    """At most three sentences without figures; its family's values are in the space."""
    found = direction(name)
    assert 1 <= len(re.findall(r"[.?!](?:\s|$)", found.text)) <= 3
    assert not re.search(r"\d", found.text)
    for seed in range(10):
        recipe = space.checked(space.draw(np.random.default_rng(seed), found.family))
        assert all(recipe[gene] in values for gene, values in found.family.items())


@pytest.mark.parametrize("name", ["../none", "None", ""])
def test_unknown_directions_name_the_known(name: str) -> None:
    """No path, no near miss: an error that lists what there is."""
    with pytest.raises(NotFound) as caught:
        direction(name)
    assert "second-look" in caught.value.hint
