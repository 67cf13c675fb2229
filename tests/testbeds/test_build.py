"""Building from a generator: reproducible with the secret, not without it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from aar.errors import Conflict, LabError, NotFound
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.testbeds.build import build, draw_examples
from aar.testbeds.generators import toy
from aar.testbeds.generators.item import Item
from aar.testbeds.manifest import check
from aar.testbeds.rows import SPLITS
from aar.testbeds.secret import lab_secret
from aar.testbeds.split import Sizes

SIZES = Sizes(20, 50, 40, 20, 10)


def contents(lab: LabFolder) -> dict[str, bytes]:
    return {str(path.relative_to(lab.root)): path.read_bytes() for path in lab.root.rglob("*") if path.is_file()}


def twin(lab: LabFolder, root: Path) -> LabFolder:
    """Another lab with the same secret."""
    other = LabFolder(root)
    lab_secret(other)
    other.secret.write_bytes(lab_secret(lab))
    return other


def test_same_secret_gives_the_same_bytes(lab: LabFolder, tmp_path: Path) -> None:
    """Two labs with one secret hold identical files."""
    build(lab, "toy", SIZES)
    other = twin(lab, tmp_path / "other")
    build(other, "toy", SIZES)
    assert contents(lab) == contents(other)


def test_another_secret_gives_other_rows(lab: LabFolder, tmp_path: Path) -> None:
    """The installed package and the name of a testbed do not tell its rows or ids."""
    other = LabFolder(tmp_path / "other")
    build(lab, "toy", SIZES)
    build(other, "toy", SIZES)
    mine, theirs = Sealed(lab).rows("toy", "test"), Sealed(other).rows("toy", "test")
    assert not set(mine.ids) & set(theirs.ids)
    assert len(set(mine.texts) & set(theirs.texts)) <= 2


def test_public_rows_carry_id_and_texts_only(lab: LabFolder) -> None:
    """No label, split, subset, difficulty or group leaves the sealed folder."""
    build(lab, "toy", SIZES)
    for file in ("train_unlabeled.jsonl", "test.jsonl"):
        lines = [json.loads(line) for line in (lab.testbed("toy") / file).read_text().splitlines()]
        assert {tuple(line) for line in lines} == {("id", "prompt", "first", "second")}
        assert [line["id"] for line in lines] == sorted(line["id"] for line in lines)


def test_labels_are_balanced_and_right(lab: LabFolder) -> None:
    """Half of each split has label 1, and label 1 means that the second sentence is the kind one."""
    build(lab, "toy", SIZES)
    sealed = Sealed(lab)
    for split in SPLITS:
        rows = sealed.rows("toy", split)
        labels = sealed.labels("toy", rows.ids)
        assert labels.sum() * 2 == len(rows) == SIZES[split]
        for text, label in zip(rows.texts, labels, strict=True):
            better = text[2] if label else text[1]
            assert any(verb in better for verb in toy.KIND)


def test_the_more_frequent_response_is_not_the_right_one() -> None:
    """A generator that sets one right answer against three wrong ones gives one row of the three."""

    def three_each(rng: np.random.Generator, n: int, n_ood: int) -> list[Item]:
        return [
            Item(f"p{i // 3}", f"right {i // 3}", f"wrong {i}", f"g{i // 3}", f"c{i // 3 % 20}", "s", ood=i >= n)
            for i in range(n + n_ood)
        ]

    rows = draw_examples(three_each, b"0" * 32, "three", SIZES)
    assert max(Counter(text for row in rows for text in row.text[1:]).values()) == 1
    assert len(rows) == SIZES.in_distribution + SIZES.ood


def test_labels_do_not_follow_ids(lab: LabFolder) -> None:
    """File order and id bits are independent of the label (n = 400: |correlation| under 3 sd)."""
    build(lab, "toy")
    rows = Sealed(lab).rows("toy", "test")
    labels = Sealed(lab).labels("toy", rows.ids)
    parity = [int(id_, 16) % 2 for id_ in rows.ids]
    for guess in (parity, np.arange(len(rows))):
        assert abs(np.corrcoef(labels, guess)[0, 1]) < 0.2


def test_second_build_does_nothing_and_force_rebuilds(lab: LabFolder) -> None:
    """Building is idempotent; --force writes again, and the same."""
    assert build(lab, "toy", SIZES)
    before = contents(lab)
    assert not build(lab, "toy", SIZES)
    assert build(lab, "toy", SIZES, force=True)
    assert contents(lab) == before


def test_damage_is_repaired_by_building_again(lab: LabFolder) -> None:
    """A changed file means that the testbed is not intact, so build writes it anew."""
    build(lab, "toy", SIZES)
    before = contents(lab)
    (lab.testbed("toy") / "test.jsonl").write_text("{}\n")
    assert build(lab, "toy", SIZES)
    assert contents(lab) == before
    assert check(lab, "toy") == []


def test_other_sizes_under_the_same_name_conflict(lab: LabFolder) -> None:
    """A testbed in use is not replaced without being asked to."""
    build(lab, "toy", SIZES)
    with pytest.raises(Conflict, match="another source"):
        build(lab, "toy", Sizes(20, 50, 44, 20, 10))
    assert build(lab, "toy", Sizes(20, 50, 44, 20, 10), force=True)
    assert len(Sealed(lab).rows("toy", "test")) == 44


def test_unknown_generator_names_the_known_ones(lab: LabFolder) -> None:
    """A misspelt name is answered with the right one."""
    with pytest.raises(NotFound) as caught:
        build(lab, "toi", SIZES)
    assert "toy" in caught.value.hint
    assert not lab.root.exists()


def test_generator_that_cannot_fill_the_splits_is_our_fault() -> None:
    """One cell cannot be on both sides; the message says which split is short."""

    def one_cell(rng: np.random.Generator, n: int, n_ood: int) -> list[Item]:
        return [Item(f"p{i}", "r", "w", f"g{i}", "cell", "s") for i in range(n)]

    with pytest.raises(LabError, match="0 of"):
        draw_examples(one_cell, b"0" * 32, "one", SIZES)
