"""The chat testbed from local copies in the layouts of its four public sources."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from aar.errors import InputError, NotFound
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.testbeds.full.prepare import prepare
from aar.testbeds.manifest import check, list_testbeds, read_manifest

pytest.importorskip("pyarrow")


def no_programs(program: str, fed: bytes) -> bytes:
    raise AssertionError("nothing is run for chat")


@pytest.fixture
def root(tmp_path: Path, layouts: ModuleType) -> Path:
    return layouts.chat(tmp_path / "copies")


def prepared(lab: LabFolder, root: Path) -> tuple[str, ...]:
    return prepare(lab, "chat-full", no_programs, root).notes


def test_rows_come_from_their_splits(lab: LabFolder, root: Path) -> None:
    """Training and validation stay apart, ties and other domains give nothing, four sources are there; all is sealed."""
    notes = prepared(lab, root)
    manifest = read_manifest(lab, "chat-full")
    # of 47 HelpSteer2 training rows 41 prefer a side (7 strengths, one a tie), of HelpSteer3's as many
    assert manifest.counts["labeled"] + manifest.counts["unlabeled"] == 82
    assert manifest.counts["labeled"] == round(82 * 2245 / 9071)
    assert manifest.counts["test"] + manifest.counts["private"] == 39
    assert manifest.counts["ood"] == 30 + 10
    assert "test: 19 of 363 rows from helpsteer2-val" in notes
    assert check(lab, "chat-full") == []
    assert set(manifest.source["sources"].values()) == {"a local copy"}


def test_the_better_response_wins(lab: LabFolder, root: Path) -> None:
    """Each source says in its own way who is better; the label says the same, wherever the sides were drawn to."""
    prepared(lab, root)
    sealed = Sealed(lab)
    for split in ("labeled", "unlabeled", "test", "private", "ood"):
        rows = sealed.rows("chat-full", split)
        for text, label in zip(rows.texts, sealed.labels("chat-full", rows.ids), strict=True):
            better = text[1 + int(label)]
            number = int(better.split()[-2] if better.startswith("bad") else better.split()[-1])
            negative = [-3, -2, -1, 1, 2, 3, 0][(number % 100 if number >= 100 else number) % 7] < 0
            expected = {"first": negative, "second": not negative, "one": negative, "two": not negative}
            assert expected.get(better.split()[0], better.split()[0] in ("chosen", "good"))


def test_labels_are_balanced_at_every_difficulty(lab: LabFolder, root: Path) -> None:
    """In each split and difficulty the second response is better in half of the rows, up to a row a source."""
    prepared(lab, root)
    lines = [json.loads(line) for line in (lab.sealed_testbed("chat-full") / "gold.jsonl").read_text().splitlines()[1:]]
    training = [line for line in lines if line["split"] == "unlabeled"]
    counts = Counter((line["difficulty"], line["label"]) for line in training)
    for difficulty in ("slight", "clear", "strong"):
        assert abs(counts[difficulty, 0] - counts[difficulty, 1]) <= 2


def test_training_rows_like_a_test_row_leave(lab: LabFolder, root: Path, layouts: ModuleType) -> None:
    """A training prompt that holds 13 words of a test prompt in a row is dropped, and the note counts it."""
    stolen = layouts.helpsteer3(900, 2)
    stolen["context"][0]["content"] = "please, once more: " + layouts.sentence(300) + " and so on"
    rows = [stolen, *(layouts.helpsteer3(100 + i, 1) for i in range(20))]
    layouts.lines(root / "HelpSteer3/preference/train.jsonl.gz", rows)
    notes = prepared(lab, root)
    assert any("decontamination: 1 training rows left out (helpsteer3 1)" in note for note in notes)
    sealed = Sealed(lab)
    for split in ("labeled", "unlabeled"):
        assert not any("please, once more" in text.question for text in sealed.rows("chat-full", split).texts)


def test_turns_are_told_apart(layouts: ModuleType) -> None:
    """HelpSteer2 marks turns by <extra_id_1>, HelpSteer3 lists messages: both become one readable prompt."""
    from aar.testbeds.full.chat import helpsteer2, helpsteer3
    from aar.testbeds.jsonl import Record

    two = layouts.helpsteer2(1, "train", 1) | {"prompt": "hi\n<extra_id_1>Assistant\nhello\n<extra_id_1>User\nbye"}
    three = layouts.helpsteer3(1, 1)
    turns = [("user", "hi"), ("assistant", "hello"), ("user", "bye")]
    three["context"] = [{"role": role, "content": content} for role, content in turns]
    for made in (helpsteer2(Record("a/b:1", two)), helpsteer3(Record("a/train.jsonl.gz:1", three))):
        assert next(made).text.question == "User: hi\n\nAssistant: hello\n\nUser: bye"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"response_1": 7}, r"preference\.jsonl\.gz:1: 'response_1' is a int"),
        ({"preference_strength": "much"}, r"preference\.jsonl\.gz:1: 'preference_strength' is a str"),
    ],
)
def test_a_wrong_column_is_named_with_its_line(
    lab: LabFolder, root: Path, layouts: ModuleType, change: dict[str, Any], message: str
) -> None:
    """Other layouts are refused with file and line, and nothing is sealed."""
    layouts.lines(root / "HelpSteer2/preference/preference.jsonl.gz", [layouts.helpsteer2(0, "train", -3) | change])
    with pytest.raises(InputError, match=message):
        prepared(lab, root)
    assert list_testbeds(lab) == []


def test_what_is_missing_is_named(lab: LabFolder, root: Path) -> None:
    """A source that is not there, and a file that was cut off, say so."""
    whole = root / "HelpSteer2/preference/preference.jsonl.gz"
    whole.write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(InputError, match="cannot be read"):
        prepared(lab, root)
    whole.unlink()
    with pytest.raises(NotFound, match="HelpSteer2 holds none of") as caught:
        prepared(lab, root)
    assert "nvidia/HelpSteer2" in caught.value.hint


def test_offline_the_hub_says_how_to_go_on(lab: LabFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without local copies the hub is asked for the pinned commit; where it cannot be reached the hint names --from."""
    from aar.errors import ProviderDown

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ProviderDown) as caught:
        prepare(lab, "chat-full", no_programs)
    assert "FOLDER/HelpSteer2" in caught.value.hint
