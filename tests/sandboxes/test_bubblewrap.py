"""What only bubblewrap does, and how running programs live in threads."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aar.errors import InputError, NotFound, ProviderDown
from aar.sandboxes import PYTHON, WORKSPACE, Limits, Mount, available, get, sandboxes, survey, view
from aar.sandboxes.base import Sandbox
from aar.sandboxes.bubblewrap import Bubblewrap
from aar.sandboxes.limits import hierarchy

QUICK = Limits(wall_s=20)


@pytest.fixture
def box() -> Sandbox:
    sandbox = sandboxes.get("bubblewrap")
    if reason := sandbox.why_not():
        pytest.skip(f"bubblewrap: {reason}")
    return sandbox


def test_best_provider_first(box: Sandbox) -> None:
    """Where bubblewrap works it is the default; an unknown name answers with the known ones."""
    assert available() is box is get("bubblewrap")
    ranks = [sandbox.rank for sandbox, _ in survey()]
    assert ranks == sorted(ranks, reverse=True)
    with pytest.raises(NotFound, match="bubblewrap"):
        get("bublewrap")


def test_outlives_the_thread_that_started_it(box: Sandbox) -> None:
    """A warm program started from a request's thread goes on when that thread is gone."""
    started = []

    def request() -> None:
        started.append(box.start(["/bin/cat"], limits=QUICK))
        time.sleep(0.3)  # until bwrap has tied itself to its parent

    thread = threading.Thread(target=request)
    thread.start()
    thread.join()
    (running,) = started
    try:
        running.stdin.write(b"still here\n")
        running.stdin.flush()
        assert running.stdout.readline(100) == b"still here\n"
        with pytest.raises(TimeoutError):
            running.wait(0.05)
    finally:
        running.kill()
    assert running.poll() == running.kill(), "killing twice changes nothing"


def test_many_at_once_leave_nothing(box: Sandbox) -> None:
    """Programs started from several threads do not mix, and no control group stays behind."""
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda i: box.run(["/bin/echo", str(i)], limits=QUICK), range(12)))
    assert [o.stdout for o in outcomes] == [f"{i}\n".encode() for i in range(12)]
    assert [p for folder in hierarchy().folders.values() for p in folder.glob(f"aar-{os.getpid()}-*")] == []


class Absent(Bubblewrap):
    """A provider that this host lacks."""

    def missing(self) -> str | None:
        return "not installed"


def test_without_a_provider_the_reasons_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none works, the error lists why, and a provider that is missing refuses to run."""
    monkeypatch.setattr(sandboxes, "_items", {"bubblewrap": Absent()})
    with pytest.raises(ProviderDown, match=r"bubblewrap: not installed"):
        available()
    with pytest.raises(ProviderDown, match="not installed"):
        get("bubblewrap")
    with pytest.raises(ProviderDown, match="not installed"):
        Absent().run(["/bin/true"])


def test_setup_failure_is_not_the_programs(box: Sandbox, tmp_path: Path) -> None:
    """A sandbox that cannot be set up is the provider's fault; a program cannot pretend that."""
    with pytest.raises(ProviderDown, match="set up"):
        box.run(["/bin/true"], cwd="/nowhere", limits=QUICK)
    fake = "import sys; sys.stderr.write('bwrap: execvp nothing'); sys.exit(1)"
    assert box.run([PYTHON, "-I", "-c", fake], limits=QUICK).code == 1


def test_whole_aar_is_hidden_in_any_mount(box: Sandbox) -> None:
    """Mounting a folder that contains aar shows the folder with an empty aar; mounting aar itself is refused."""
    source = view.package().parent
    outcome = box.run(["/bin/ls", "-A", "/src/aar"], [Mount(source, "/src")], limits=QUICK)
    assert (outcome.code, outcome.stdout) == (0, b""), outcome
    with pytest.raises(InputError, match="checkers"):
        box.run(["/bin/true"], [Mount(source / "aar", "/src")])


@pytest.mark.parametrize("target", ["relative", "/", "/usr/lib", "/etc", "/a/../usr", "/proc"])
def test_bad_targets(box: Sandbox, target: str, tmp_path: Path) -> None:
    """A mount covers no part of the system."""
    with pytest.raises(InputError, match="mount target"):
        box.run(["/bin/true"], [Mount(tmp_path, target)])


def test_devices_are_usable(box: Sandbox) -> None:
    """A character device (a GPU, say) can be mounted below /dev and used."""
    argv = ["/usr/bin/head", "-c", "3", "/dev/accelerator"]
    assert box.run(argv, [Mount(Path("/dev/zero"), "/dev/accelerator")], limits=QUICK).stdout == b"\0\0\0"


def test_workspace_lasts_between_programs(box: Sandbox, tmp_path: Path) -> None:
    """A workspace is an ordinary folder: the next program finds what the last one wrote."""
    mounts = [Mount(tmp_path, WORKSPACE, writable=True)]
    assert box.run(["/bin/sh", "-c", "echo one > notes"], mounts, limits=QUICK).code == 0
    assert box.run(["/bin/cat", "notes"], mounts, limits=QUICK).stdout == b"one\n"
