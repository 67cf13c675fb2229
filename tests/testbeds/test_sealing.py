"""Sealing: all or nothing, private, and every later change noticed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from aar.errors import Conflict, InputError, LabError, NotFound
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.testbeds import sealing
from aar.testbeds.manifest import check, list_testbeds, read_manifest, read_sealed_manifest
from aar.testbeds.rows import Example
from aar.testbeds.sealing import seal
from aar.types import Pair

SOURCE = {"by": "test"}


def examples(n: int = 4, mark: str = "") -> list[Example]:
    return [
        Example(
            "pair", Pair(f"{split} {i}{mark}", "a\u2028", "ü"), i % 2, split, "s", "d", f"{split} {i}", f"{split}{i}"
        )
        for split in ("labeled", "unlabeled", "test", "private", "ood")
        for i in range(n)
    ]


def tree(lab: LabFolder) -> dict[str, bytes]:
    return {str(p.relative_to(lab.root)): p.read_bytes() for p in sorted(lab.root.rglob("*")) if p.is_file()}


def test_sealed_folder_is_private_whatever_the_umask(lab: LabFolder) -> None:
    """0700 folders and 0600 files on the sealed side, readable files on the public one."""
    before = os.umask(0o000)
    try:
        seal(lab, "bed", examples(), SOURCE)
    finally:
        os.umask(before)
    sealed = lab.sealed_testbed("bed")
    assert {path.stat().st_mode & 0o777 for path in (lab.sealed, sealed.parent, sealed)} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in sealed.iterdir()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in lab.testbed("bed").iterdir()} == {0o644}
    assert check(lab, "bed") == []


def test_canary_is_in_every_sealed_file_and_in_no_public_one(lab: LabFolder) -> None:
    """Whoever copies a sealed file carries the canary along; no legitimate reader does."""
    seal(lab, "bed", examples(), SOURCE)
    canary = Sealed(lab).canary("bed").encode()
    assert len(canary) > 25
    for path in lab.sealed_testbed("bed").iterdir():
        assert (canary in path.read_bytes()) == (path.name != "manifest.json")
    assert not any(canary in path.read_bytes() for path in lab.testbed("bed").iterdir())


def test_rows_are_ascii_lines_for_every_reader(lab: LabFolder) -> None:
    """U+2028 within a text ends no line, even for readers that split at it."""
    seal(lab, "bed", examples(), SOURCE)
    lines = (lab.testbed("bed") / "test.jsonl").read_text().splitlines()
    assert [json.loads(line)["first"] for line in lines] == ["a\u2028"] * 4


def test_same_content_changes_nothing_other_content_conflicts(lab: LabFolder) -> None:
    """Sealing again is harmless; replacing needs force."""
    assert seal(lab, "bed", examples(), SOURCE)
    before = tree(lab)
    assert not seal(lab, "bed", examples(), SOURCE)
    with pytest.raises(Conflict):
        seal(lab, "bed", examples(mark="!"), SOURCE)
    assert tree(lab) == before
    assert seal(lab, "bed", examples(mark="!"), SOURCE, force=True)
    assert tree(lab) != before


@pytest.mark.parametrize(
    ("call", "turn"), [("_write_folder", 1), ("_write_folder", 2), *(("_sync", turn) for turn in (1, 2, 3, 4))]
)
@pytest.mark.parametrize("replacing", [False, True])
def test_an_error_at_any_step_leaves_what_was_there(
    lab: LabFolder, monkeypatch: pytest.MonkeyPatch, call: str, turn: int, replacing: bool
) -> None:
    """The disk fills up, say: no half of a testbed appears, the old one stays."""
    if replacing:
        seal(lab, "bed", examples(), SOURCE)
    before = tree(lab) if replacing else {}
    real, calls = getattr(sealing, call), []

    def failing(*args: object) -> None:
        calls.append(1)
        if len(calls) == turn:
            raise OSError(28, "No space left on device")
        real(*args)

    monkeypatch.setattr(sealing, call, failing)
    with pytest.raises(OSError, match="No space"):
        seal(lab, "bed", examples(mark="new"), SOURCE, force=True)
    monkeypatch.undo()
    left = {path: data for path, data in tree(lab).items() if "lab.key" not in path and ".lock" not in path}
    assert left == {path: data for path, data in before.items() if "lab.key" not in path and ".lock" not in path}
    assert list_testbeds(lab) == (["bed"] if replacing else [])


def test_killed_while_writing_leaves_no_testbed(lab: LabFolder) -> None:
    """kill -9 in the middle: nothing is listed, and the next seal cleans up and succeeds."""
    program = (
        "import os, signal, sys\nfrom aar.settings import LabFolder\nfrom aar.testbeds import sealing\n"
        "from aar.testbeds.build import build\nfrom pathlib import Path\n"
        "real = sealing._write_folder\n"
        "def dying(folder, *rest):\n    real(folder, *rest)\n"
        "    if 'sealed' not in folder.parts: os.kill(os.getpid(), signal.SIGKILL)\n"
        "sealing._write_folder = dying\nbuild(LabFolder(Path(sys.argv[1])), 'toy')\n"
    )
    died = subprocess.run([sys.executable, "-c", program, str(lab.root)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert list_testbeds(lab) == []
    assert list(lab.testbed("x").parent.glob(".toy.*"))
    assert seal(lab, "toy", examples(), SOURCE)
    assert check(lab, "toy") == []
    assert not list(lab.root.rglob(".toy.*"))


def test_writers_at_once_leave_one_whole_testbed(lab: LabFolder) -> None:
    """Two processes that seal the same name take turns."""
    threads = [
        threading.Thread(target=seal, args=(lab, "bed", examples(mark=str(i)), SOURCE), kwargs={"force": True})
        for i in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert check(lab, "bed") == []


def damage_public(lab: LabFolder) -> Path:
    path = lab.testbed("bed") / "test.jsonl"
    path.write_bytes(path.read_bytes().replace(b"test 0", b"test O"))
    return path


def damage_gold(lab: LabFolder) -> Path:
    path = lab.sealed_testbed("bed") / "gold.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"label": 0', b'"label": 1', 1))
    return path


def damage_manifest(lab: LabFolder) -> Path:
    path = lab.testbed("bed") / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"pair"', b'"binary"'))
    return path


def lose_file(lab: LabFolder) -> Path:
    path = lab.sealed_testbed("bed") / "private.jsonl"
    path.unlink()
    return path


def add_file(lab: LabFolder) -> Path:
    path = lab.testbed("bed") / "gold.jsonl"
    path.write_text("")
    return path


def open_file(lab: LabFolder) -> Path:
    path = lab.sealed_testbed("bed") / "gold.jsonl"
    path.chmod(0o644)
    return path


def open_folder(lab: LabFolder) -> Path:
    lab.sealed.chmod(0o755)
    return lab.sealed


def lose_sealed_manifest(lab: LabFolder) -> Path:
    path = lab.sealed_testbed("bed") / "manifest.json"
    path.unlink()
    return path


@pytest.mark.parametrize(
    "damage",
    [damage_public, damage_gold, damage_manifest, lose_file, add_file, open_file, open_folder, lose_sealed_manifest],
)
def test_check_names_what_differs(lab: LabFolder, damage) -> None:
    """Every kind of later change is found, and the message names the path."""
    seal(lab, "bed", examples(), SOURCE)
    path = damage(lab)
    found = check(lab, "bed")
    assert len(found) == 1
    assert str(path) in found[0]


def test_manifest_counts_and_label_set(lab: LabFolder) -> None:
    """Counts are of every split; copies of the same test rows share a label set, others do not."""
    seal(lab, "bed", examples(), SOURCE, ["a note"])
    seal(lab, "copy", [replace(e, id=e.id + "c") for e in examples()], SOURCE)
    seal(lab, "other", examples(mark="!"), SOURCE)
    manifest = read_manifest(lab, "bed")
    assert manifest.counts == dict.fromkeys(("labeled", "unlabeled", "test", "ood", "private"), 4)
    assert manifest.notes == ("a note",)
    assert manifest.ceiling
    sets = [read_sealed_manifest(lab, name).label_set for name in ("bed", "copy", "other")]
    assert sets[0] == sets[1] != sets[2]
    assert list_testbeds(lab) == ["bed", "copy", "other"]


@pytest.mark.parametrize("name", ["", "A", "../x", "a/b", "code@x", ".hidden", "x" * 65, "a b", "a\n"])
def test_names_that_cannot_be_a_folder_are_refused(lab: LabFolder, name: str) -> None:
    """A name can be neither a path nor a problem."""
    with pytest.raises(InputError):
        seal(lab, name, examples(), SOURCE)
    assert not lab.root.exists()


def test_unknown_testbed_says_what_is_there(lab: LabFolder) -> None:
    """The hint lists the lab's testbeds."""
    seal(lab, "bed", examples(), SOURCE)
    with pytest.raises(NotFound) as caught:
        check(lab, "bet")
    assert "bed" in caught.value.hint


@pytest.mark.parametrize(
    "unsound",
    [
        [*examples(), examples()[0]],
        [replace(e, group="one") for e in examples()],
        [replace(e, label=None) for e in examples()],
        [e for e in examples() if e.split != "private"],
    ],
    ids=["duplicate id", "straddling group", "no labels", "no private rows"],
)
def test_unsound_rows_are_never_sealed(lab: LabFolder, unsound: list[Example]) -> None:
    """The builder's promises are asserted at the last gate."""
    with pytest.raises(LabError) as caught:
        seal(lab, "bed", unsound, SOURCE)
    assert caught.value.code == "unsound_testbed"
    assert list_testbeds(lab) == []
