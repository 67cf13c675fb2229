"""A served lab for whoever needs it: one server, however many start at one instant and whoever of them ends or is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from aar.errors import LabError
from aar.lab.locks import server_lock
from aar.lab.service import Served
from aar.settings import LabFolder

USE = """
import sys, time
from pathlib import Path
from aar.lab.service import Served
from aar.settings import LabFolder
with Served(LabFolder(Path(sys.argv[1])), on_start=lambda pid: print(pid, flush=True)):
    time.sleep(120)
"""


@pytest.fixture
def lab(tmp_path: Path, short: Path, monkeypatch: pytest.MonkeyPatch) -> LabFolder:
    monkeypatch.setenv("AAR_STATE", str(tmp_path / "outside"))
    monkeypatch.setenv("AAR_RUNTIME", str(short))
    return LabFolder(tmp_path / "lab")


def servers(lab: LabFolder) -> list[int]:
    """Process ids of everything that serves this lab or is about to."""
    found = [(p.pid, p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"])]
    return [pid for pid, words in found if "serve" in words and str(lab.root) in words]


def until(true: Callable[[], bool], most_s: float = 60.0) -> None:
    end = time.monotonic() + most_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def use(
    lab: LabFolder, faults: list[BaseException], starts: list[int], barrier: threading.Barrier, stay_s: float
) -> None:
    barrier.wait()
    try:
        with Served(lab, keep=True, on_start=starts.append) as served:
            end = time.monotonic() + stay_s
            while time.monotonic() < end:
                served.client.call("GET", "studies")
                time.sleep(0.05)
    except BaseException as fault:
        faults.append(fault)


def together(lab: LabFolder, stays_s: list[float]) -> list[int]:
    """So many users from one instant on, each for its own time. Gives the servers that were started; raises their faults."""
    faults: list[BaseException] = []
    starts: list[int] = []
    barrier = threading.Barrier(len(stays_s))
    threads = [threading.Thread(target=use, args=(lab, faults, starts, barrier, stay)) for stay in stays_s]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return starts


def test_twenty_at_one_instant(lab: LabFolder) -> None:
    """One server for all of them, whoever started it and whoever leaves first; after the last it is gone."""
    assert len(together(lab, [0.2 * i for i in range(20)])) == 1
    until(lambda: servers(lab) == [])


def test_comings_and_goings(lab: LabFolder) -> None:
    """Who comes while a server leaves gets another; nobody is ever turned away."""
    for stay_s in (0.0, 0.2):
        together(lab, [stay_s] * 3)
    until(lambda: servers(lab) == [])


def starter(lab: LabFolder) -> subprocess.Popen[bytes]:
    """Another process that uses the lab and starts its server."""
    return subprocess.Popen([sys.executable, "-c", USE, str(lab.root)], stdout=subprocess.PIPE)


def kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def test_kill_9_of_whoever_is_starting_it(lab: LabFolder) -> None:
    """Half-started, the server goes on for those who wait for it, and never becomes two."""
    first = starter(lab)
    until(lambda: servers(lab) != [])
    kill(first)
    with Served(lab) as served:
        assert served.client.call("GET", "studies") == []
        assert len(servers(lab)) == 1
    until(lambda: servers(lab) == [])


def test_kill_9_of_whoever_started_it(lab: LabFolder) -> None:
    """The server that others use stays the same; with nobody left it leaves."""
    first = starter(lab)
    assert first.stdout
    pid = int(first.stdout.readline())
    with Served(lab, keep=True) as served:
        kill(first)
        time.sleep(1)
        assert served.client.call("GET", "studies") == []
        assert server_lock(lab).signed == str(pid)
    until(lambda: servers(lab) == [])


def test_kill_9_of_the_server(lab: LabFolder) -> None:
    """Two who keep it get one new server between them."""
    starts: list[int] = []
    with Served(lab, keep=True, on_start=starts.append) as one, Served(lab, keep=True, on_start=starts.append) as other:
        os.kill(starts[0], signal.SIGKILL)
        until(lambda: len(starts) == 2)
        assert [user.client.call("GET", "studies") for user in (one, other)] == [[], []]
        assert servers(lab) == [starts[1]]
        assert (one.fault, other.fault) == (None, None)


def test_a_server_that_cannot_start(lab: LabFolder) -> None:
    """Its last words are told, and where the rest is; nothing is left that would keep the next one out."""
    lab.root.mkdir()
    lab.code_store.parent.mkdir()
    lab.code_store.write_text("not a repository")
    with pytest.raises(LabError, match="ended at once") as caught:
        Served(lab).__enter__()
    assert str(lab.root / "server.log") in caught.value.hint
    lab.code_store.unlink()
    with Served(lab) as served:
        assert served.client.call("GET", "studies") == []
