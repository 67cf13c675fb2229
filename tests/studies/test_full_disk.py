"""A disk that is really full: a small file system of one's own, filled to the last byte at the worst moment."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from aar.errors import ProviderDown
from aar.lab.service import Served
from aar.settings import LabFolder
from aar.studies.events import read_events
from aar.task.client import LabClient

SIZE_MB = 110
METHOD = b"from aar.methods.parts.recipe import Recipe\n\n\ndef run(task):\n    return Recipe().run(task)\n"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own; skipped where this user may not mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(place)], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"cannot mount a small file system here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def small_lab(small_disk: Path, made_lab: LabFolder) -> LabFolder:
    shutil.copytree(made_lab.root, small_disk / "lab")
    return LabFolder(small_disk / "lab")


def fill(disk: Path) -> Path:
    """Takes what is left, to the last byte."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return ballast


def study(lab: LabFolder, word: str) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-m", "aar.cli", "study", word, "a", "--lab", str(lab.root), "--json"]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def until(true: Callable[[], bool], most_s: float = 200.0) -> None:
    end = time.monotonic() + most_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("moment", ["trial", "submission"])
def test_a_study_stops_and_goes_on(
    small_lab: LabFolder, small_disk: Path, campaign: ModuleType, write_study: Callable[..., object], moment: str
) -> None:
    """Full at the first trial, or while the first submission is rerun: exit 1 and what to do; with room again the study ends,
    everything that was acknowledged is there once, and no submission was called wrong for want of room."""
    folder = write_study(small_lab, search=1, random=0, trials=2, wall_s=900.0)
    process = study(small_lab, "run")
    until(lambda: any(e.kind == moment for e in read_events(folder.events)) or process.poll() is not None)
    ballast = fill(small_disk)
    out, err = process.communicate(timeout=300)
    error = json.loads(out)["error"]
    assert process.returncode == 1, err
    assert "disk" in error["message"] or "No space left" in error["message"], error
    assert "aar study resume a" in error["hint"], error
    until(lambda: campaign.alive(small_lab) == [], 30)
    ballast.unlink()
    again = study(small_lab, "resume")
    out, err = again.communicate(timeout=600)
    assert again.returncode == 0, (out, err)
    done = campaign.check_exactly_once(small_lab, "a")
    assert done["submit"] == 1
    assert json.loads(out)["trials"] == 2


@pytest.mark.timeout(300)
def test_the_lab_refuses_and_forgets_nothing(small_lab: LabFolder, small_disk: Path) -> None:
    """A vector, a submission and a finding on a full disk are answered 503 "disk_full" and charge nothing; the same calls under
    their keys go through when there is room, once."""
    with Served(small_lab, workers=0) as served:
        made = served.client.call("POST", "tokens", {"name": "ann"})
        until(lambda: (small_lab.sockets / "ann" / "api.sock").exists())
        ann = LabClient(small_lab.sockets / "ann" / "api.sock", made["token"])
        problem, ann.retries = ann.budget()["evaluations"][0]["problem"], 0
        ids = [json.loads(line)["id"] for line in (small_lab.testbed("toy") / "test.jsonl").read_text().splitlines()]
        calls = [
            lambda: ann.evaluate(problem, dict.fromkeys(ids, 1.0), key="k1"),
            lambda: ann.submit(problem, "mine", packed(), key="k2"),
            lambda: ann.post_finding("insight", "t", "b" * 50_000, key="k3"),
        ]
        ballast = fill(small_disk)
        for call in calls:
            with pytest.raises(ProviderDown) as caught:
                call()
            assert caught.value.code == "disk_full", caught.value
            assert "free" in caught.value.hint
        ballast.unlink()
        first, again = [[call() for call in calls] for _ in range(2)]
        assert first == again
        assert ann.budget(problem)["evaluations"][0]["spent"] == 1
        assert len(ann.findings()) == 1
        assert served.client.call("GET", "audit")["ok"]


def packed() -> bytes:
    from aar.task.pack import pack_files

    return pack_files({"method.py": METHOD})
