"""Packs of texts that begin alike: every text is a path, and a model cannot tell that it was packed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar.models import frozen
from aar.models.packing import Pack, by_length, common, pack

QUESTION = "How many apples are left, if three of nine are eaten and two of them were rotten? "
PAIRS = [f"{QUESTION}{answer}" for answer in ("Six are left.", "Six are left, four good.", "Nine.")] + [
    "Unrelated text",
    "x",
]


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=12), max_size=12), st.sampled_from([0, 8, 256]))
def test_every_text_is_one_path_with_its_own_tokens_and_positions(ids: list[list[int]], limit: int) -> None:
    """Whatever is shared, what a text reads along its path is the text, and no text is lost or doubled."""
    packs = pack(ids, limit)
    assert sorted(text for p in packs for text in p.texts) == list(range(len(ids)))
    for p in packs:
        assert len(p.texts) == 1 or len(p) <= limit
        for text, path in zip(p.texts, p.paths, strict=True):
            assert [p.tokens[i] for i in path] == ids[text]
            assert [p.depth[i] for i in path] == list(range(len(path)))


def test_what_is_common_is_read_once() -> None:
    """Two texts of a shared beginning cost the beginning and two ends; strangers are not put together."""
    (both,) = pack([[1, 2, 3, 4], [1, 2, 3, 5, 6]])
    assert sorted(both.tokens) == [1, 2, 3, 4, 5, 6]
    assert len(pack([[1, 2, 3], [4, 5, 6]])) == 2
    assert common([1, 2], [1, 3]) == 1


def test_batches_hold_their_padding_too() -> None:
    """A batch counts its longest pack for all; one that is too long goes alone."""
    packs = [Pack(tokens=[0] * n) for n in (1, 2, 3, 9)]
    assert [[len(packs[i]) for i in b] for b in by_length(packs, 6)] == [[1, 2], [3], [9]]


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_a_packed_text_has_the_features_it_has_alone(llama: Path, pooling: frozen.Pooling) -> None:
    """Within bfloat16 rounding, at every layer."""
    lm = frozen.load(llama)
    assert len(lm.pack(lm.encode(PAIRS))) < len(PAIRS)
    together = lm.hidden(PAIRS, range(5), pooling)
    alone = np.concatenate([lm.hidden([text], range(5), pooling) for text in PAIRS])
    assert _apart(together, alone) < 0.02


def test_the_mask_is_what_keeps_packed_texts_apart(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above would notice: with plain causal attention over a pack the features are others."""
    lm = frozen.load(llama)
    alone = np.concatenate([lm.hidden([text], [4]) for text in PAIRS])
    inputs = lm.inputs
    monkeypatch.setattr(lm, "inputs", lambda batch, member: {**inputs(batch, member), "attention_mask": None})
    assert _apart(lm.hidden(PAIRS, [4]), alone) > 0.05


def test_an_encoder_reads_each_text_by_itself(bert: Path) -> None:
    """It attends to what follows, so that nothing can be shared."""
    lm = frozen.load(bert)
    assert [len(p.texts) for p in lm.pack(lm.encode(PAIRS))] == [1] * len(PAIRS)


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    """The largest relative distance of a text's features, over texts and layers."""
    return float((np.linalg.norm(a - b, axis=-1) / np.linalg.norm(b, axis=-1)).max())
