"""Jobs of a researcher: started from one sandbox, run in another, and known in every case."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aar.errors import ProviderDown
from aar.researchers.jobs import Jobs
from aar.sandboxes import PYTHON, WORKSPACE, Limits, Mount, available
from aar.task.jobs import DYING_S, MOST, Refused, Server, said, state_of

LIMITS = Limits(wall_s=120, memory_mb=256, pids=64)


class Place:
    """A workspace with a server of jobs, and programs that ask it from sandboxes of their own."""

    def __init__(self, folder: Path) -> None:
        self.box, self.mounts, self.folder, self.jobs = (
            available(),
            [Mount(folder, WORKSPACE, writable=True)],
            folder,
            Jobs(),
        )
        self.serve()

    def serve(self) -> None:
        self.jobs.serve(self.box, self.mounts, LIMITS)

    def ask(self, *words: str) -> str:
        done = self.box.run([PYTHON, "-I", "-m", "aar.task.jobs", *words], self.mounts, limits=LIMITS)
        return done.stdout.decode() + done.stderr.decode()

    def state(self, number: int) -> dict[str, Any]:
        return dict(json.loads(self.ask("status", str(number))))

    def until(self, true: Callable[[], Any]) -> None:
        end = time.monotonic() + 60
        while not true():
            assert time.monotonic() < end
            time.sleep(0.05)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    try:
        found = Place(tmp_path)
    except ProviderDown as down:
        pytest.skip(down.message)
    yield found
    found.jobs.close()


def test_a_job_outlives_who_started_it(place: Place) -> None:
    """The sandbox that asked is gone; the job goes on, tells how far it is, ends with its code, and its output stays."""
    command = "echo begun; echo 'half way' > $AAR_JOB/progress; until [ -e go ]; do sleep 0.02; done; exit 3"
    assert place.ask("start", command) == "1\n"
    place.until(lambda: place.state(1).get("progress") == "half way")
    assert place.state(1)["state"] == "running"
    (place.folder / "go").touch()
    place.until(lambda: state_of(place.folder / "jobs" / "1")["state"] != "running")
    assert (place.state(1)["state"], place.state(1)["code"]) == ("ended", 3)
    assert place.ask("logs", "1") == "begun\n\n"


def test_a_killed_server_loses_its_jobs_and_says_so(place: Place) -> None:
    """After kill -9 of the sandbox nothing of the job runs, its state says why, and the next job has the next number."""
    assert place.ask("start", "while sleep 0.05; do date +%N > heart; done") == "1\n"
    place.until((place.folder / "heart").exists)
    running = place.jobs._running
    assert running
    os.kill(running.pid, signal.SIGKILL)
    place.until(lambda: state_of(place.folder / "jobs" / "1")["state"] == "lost")
    assert "killed" in place.state(1)["why"]
    before = (place.folder / "heart").read_text()
    assert place.ask("start", "true") == "2\n"
    assert (place.folder / "heart").read_text() == before
    place.jobs.close()
    place.jobs = Jobs()
    place.serve()
    place.until(lambda: state_of(place.folder / "jobs" / "2")["state"] == "ended")


def test_close_ends_what_runs(place: Place) -> None:
    """When the study stops nothing is left, and the next session finds the job lost."""
    place.ask("start", "sleep 100")
    place.jobs.close()
    place.jobs = Jobs()
    place.serve()
    place.until(lambda: state_of(place.folder / "jobs" / "1")["state"] == "lost")
    assert place.state(1)["why"] == "the lab was stopped or killed"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "jobs").mkdir()
    return tmp_path / "jobs"


def test_a_job_that_is_killed_just_before_its_server_is_lost(root: Path) -> None:
    """A sandbox is ended process by process, in any order: the job did not end by itself. Where the server lives on, it did."""
    code = "import sys, time; from pathlib import Path; from aar.task.jobs import Server\n"
    code += "s = Server(Path(sys.argv[1])); s.start('sleep 100'); print(s.running[1].pid, flush=True); time.sleep(100)"
    for dies, state in ((True, "lost"), (False, "ended")):
        shutil.rmtree(root / "1", ignore_errors=True)
        with subprocess.Popen([sys.executable, "-c", code, str(root)], stdout=subprocess.PIPE) as server:
            assert server.stdout
            os.kill(int(server.stdout.readline()), signal.SIGKILL)
            time.sleep(0.2 if dies else 2 * DYING_S)
            server.kill()
        Server(root, "its server was killed")
        assert state_of(root / "1")["state"] == state


def test_kill_ends_the_whole_job(root: Path) -> None:
    """With its children; a second kill is refused, and so is a job too many."""
    server = Server(root)
    number = server.start("sleep 100 & sleep 100")
    server.kill(number)
    end = time.monotonic() + 30
    while state_of(root / str(number))["state"] == "running" and time.monotonic() < end:
        time.sleep(0.01)
    assert state_of(root / str(number))["state"] == "killed"
    with pytest.raises(Refused, match="does not run"):
        server.kill(number)
    for _ in range(MOST):
        server.start("sleep 100")
    with pytest.raises(Refused, match="already"):
        server.start("true")
    for number in list(server.running):
        server.kill(number)


@pytest.mark.parametrize("words", [["logs"], ["logs", "../x"], ["what"], []])
def test_wrong_words_are_refused(root: Path, words: list[str]) -> None:
    with pytest.raises(Refused, match="start COMMAND"):
        list(said(root, (words or [""])[0], words[1:]))
