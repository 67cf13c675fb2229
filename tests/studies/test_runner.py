"""A study as a process: two at once, stopped and gone on with, and every fault ends in a clear stop."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from aar.errors import AarError, Conflict, InputError
from aar.lab import store
from aar.models import packaged
from aar.settings import LabFolder
from aar.studies import runner
from aar.studies.events import EventLog, read_events
from aar.studies.runner import held, run_study
from aar.studies.spec import StudyFolder, StudySpec, team
from aar.studies.status import overview

Make = Callable[..., StudyFolder]


def command(lab: LabFolder, *words: str, **env: str) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-m", "aar.cli", "study", *words, "--lab", str(lab.root), "--json"]
    return subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **env}, start_new_session=True
    )


def test_two_studies_share_a_lab(ended_lab: LabFolder) -> None:
    """Each has its own researchers, findings and verdicts; time is accounted for."""
    for name in ("a", "b"):
        folder, seen = StudyFolder(ended_lab, name), overview(ended_lab, name)
        assert seen.state == "complete"
        assert [(m["trials"], m["submissions"], m["state"]) for m in seen.researchers] == [(1, 1, "finished")] * 2
        jobs = {kind: t["jobs"] for kind, t in seen.time.items()}
        assert jobs | {"research, done": 2, "rerun, done": 2} == jobs  # one may be lost to the other study's end
        synced = [json.loads(path.read_text()) for path in folder.findings.glob("*.json")]
        assert {f["study"] for f in synced} == {name}
        assert (folder.root / "tokens.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.timeout(240)
def test_ctrl_c_and_resume(quick_lab: LabFolder, make_study: Make, campaign: ModuleType) -> None:
    """A clean stop leaves no process; going on repeats no step and ends the study."""
    folder = make_study(search=1, random=0, trials=3)
    process = command(quick_lab, "run", "a")
    end = time.monotonic() + 90
    while not any(e.kind == "trial" for e in read_events(folder.events)):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, json.loads(out)["complete"]) == (1, False)
    assert campaign.alive(quick_lab) == []
    again = command(quick_lab, "resume", "a")
    out, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    assert json.loads(out)["trials"] == json.loads(out)["configurations"] == 3
    campaign.check_exactly_once(quick_lab, "a")


def test_one_process_a_study(make_study: Make) -> None:
    """A second run of a running study is refused and told what to do."""
    folder = make_study()
    with held(folder), pytest.raises(Conflict, match="running already") as caught:
        run_study(folder.lab, "a")
    assert "aar study stop a" in caught.value.hint


def fault(folder: StudyFolder) -> AarError:
    with pytest.raises(AarError) as caught:
        run_study(folder.lab, folder.name)
    assert f"aar study resume {folder.name}" in caught.value.hint
    return caught.value


def test_a_full_disk(make_study: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not start where there is no room."""
    monkeypatch.setattr(runner, "LEAST_FREE_MB", 1 << 40)
    assert fault(make_study()).code == "disk_full"


def test_an_event_that_cannot_be_written(tmp_path: Path) -> None:
    """The error names the file and says what to do; nothing is told as if it had been kept."""
    heard: list[object] = []
    log = EventLog(tmp_path / "events.jsonl", heard.append)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(AarError, match=r"events.jsonl cannot be written") as caught:
            log.tell("ann", "log", "x")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (caught.value.code, heard) == ("disk_full", [])


def test_a_locked_database(make_study: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program that holds the database is named, not waited for without end."""
    folder = make_study()
    folder.lab.database.parent.mkdir(parents=True)
    opened = store.Store(folder.lab.database)
    opened.migrate()
    opened.close()
    monkeypatch.setattr(store, "BUSY_S", 0.3)
    holder = sqlite3.connect(folder.lab.database, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        found = fault(folder)
        assert found.code == "database_busy", found
    finally:
        holder.close()


def test_a_vanished_model(quick_lab: LabFolder, make_study: Make, tmp_path: Path) -> None:
    """The message names the model and the folder, the hint the command that brings it back."""
    make_study()
    process = command(quick_lab, "run", "a", AAR_MODELS=str(tmp_path / "nowhere"))
    out, _ = process.communicate(timeout=60)
    error = json.loads(out)["error"]
    assert process.returncode == 1
    assert "smollm2-135m" in error["message"]
    assert "nowhere" in error["message"]
    assert "make setup" in error["hint"]
    assert "aar study resume a" in error["hint"]


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_model_that_vanishes_on_the_way(
    quick_lab: LabFolder, make_study: Make, campaign: ModuleType, tmp_path: Path
) -> None:
    """The study stops and says what has gone and how to bring it back; with the files in place again it goes on to its end."""
    folder, models = make_study(search=1, random=0, trials=2), tmp_path / "models"
    models.mkdir()
    place = models / "smollm2-135m"
    place.symlink_to(packaged.path("smollm2-135m"))
    process = command(quick_lab, "run", "a", AAR_MODELS=str(models))
    while not any(e.kind == "trial" for e in read_events(folder.events)):
        assert process.poll() is None
        time.sleep(0.1)
    place.rename(models / "gone")
    out, _ = process.communicate(timeout=120)
    error = json.loads(out)["error"]
    assert process.returncode == 1
    assert "smollm2-135m" in error["message"]
    assert "make setup" in error["hint"]
    assert "aar study resume a" in error["hint"]
    assert campaign.alive(quick_lab) == []
    (models / "gone").rename(place)
    again = command(quick_lab, "resume", "a", AAR_MODELS=str(models))
    out, err = again.communicate(timeout=600)
    assert again.returncode == 0, err
    assert json.loads(out)["trials"] == 2
    campaign.check_exactly_once(quick_lab, "a")


def test_replayed_events_are_written_once(tmp_path: Path) -> None:
    """The same step of the same researcher again is no news; a line cut short by a kill is no event."""
    path = tmp_path / "events.jsonl"
    for _ in range(2):
        log = EventLog(path)
        log.tell("ann", "trial", "t1", step=3)
        log.tell("ann", "trial", "t2", step=4)
        log.close()
        with path.open("ab") as file:
            file.write(b'{"t": 1, "resea')
    assert [e.text for e in read_events(path)] == ["t1", "t2"]


def test_stop_before_the_start(make_study: Make) -> None:
    """A study that is asked to stop at once does nothing and says so."""
    folder, stop = make_study(), threading.Event()
    stop.set()
    ended = run_study(folder.lab, "a", stop=stop)
    assert (ended.complete, ended.trials) == (False, 0)


def test_a_study_of_the_same_name_is_not_overwritten(make_study: Make) -> None:
    """The same settings again change nothing, others are a conflict."""
    folder = make_study(trials=2)
    make_study(trials=2)
    with pytest.raises(Conflict):
        make_study(trials=3)
    assert folder.load().trials == 2


def test_budgets_that_make_no_sense() -> None:
    """No researchers, two of one name, a negative budget, no time."""
    pair = team("a", [("search", 2)], ["none"])
    for people, budget in (((), {}), (pair + pair, {}), (pair, {"trials": -1}), (pair, {"wall_s": 0})):
        with pytest.raises(InputError):
            StudySpec("a", "code", people, **budget)
