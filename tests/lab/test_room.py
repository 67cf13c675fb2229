"""A disk without room, in all the words in which it is met, and that nobody is blamed for it."""

from __future__ import annotations

import errno
from itertools import pairwise
from pathlib import Path

import pytest

from aar.errors import LabError, MethodError, ProviderDown
from aar.lab import queue, room, snapshots, worker
from aar.lab.fakes import METHOD, person
from aar.lab.services import Lab
from aar.lab.tables import Submission
from aar.scoring.rerun import RerunRules


def raised(*chain: Exception) -> Exception:
    """The last of these, raised from the one before, and so on."""
    for cause, error in pairwise(chain):
        error.__cause__ = cause
    return chain[-1]


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("error", "is_behind"),
    [(FULL, True), (OSError(errno.EDQUOT, "x"), True), (raised(FULL, LabError("x")), True), (room.full(Path("/x")), True),
     (OSError(errno.EACCES, "x"), False), (MethodError("it wrote too much", code="disk_full"), False), (ValueError("disk"), False)],
)  # fmt: skip
def test_what_is_behind(error: Exception, is_behind: bool) -> None:
    """Directly or as the cause; a method that broke its own quota is something else."""
    assert room.behind(error) is is_behind


def test_check_names_the_folder_and_the_way_out(tmp_path: Path) -> None:
    room.check(tmp_path, 0)
    with pytest.raises(ProviderDown, match=str(tmp_path)) as caught:
        room.check(tmp_path, 1 << 40)
    assert (caught.value.code, "free" in caught.value.hint) == ("disk_full", True)


def claimed(lab: Lab) -> queue.Job:
    """A submission that a worker holds, on a problem that was never prepared: its rerun fails."""
    who = person(lab, "ann")
    queue.enqueue(lab, who, "toy", "m", snapshots.put(lab, who, METHOD).id)
    job = queue.claim(lab.store, "w")
    assert job
    return job


def state(lab: Lab) -> tuple[str, int]:
    with lab.store.reading() as session:
        row = session.get(Submission, 1)
        assert row
        return row.state, row.tries


def test_a_rerun_that_fails_without_room_waits(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes back to the queue, is not counted as a try, and is not claimed before there is room; with room it fails."""
    job = claimed(lab)
    with monkeypatch.context() as patch:
        patch.setattr(room, "LEAST_MB", 1 << 40)
        worker.run_job(lab, job, RerunRules())
        assert state(lab) == ("queued", 0)
        assert worker._claimed(lab, "w") is None
    again = worker._claimed(lab, "w")
    assert again
    worker.run_job(lab, again, RerunRules())
    assert state(lab) == ("failed", 1)
