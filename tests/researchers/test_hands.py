"""Hands in a real sandbox: warm, restarted when killed, checked in what they say."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from aar.errors import InputError, MethodError, ProviderDown
from aar.models import shards, texts
from aar.researchers.base import Stopped
from aar.researchers.fakes import write_task
from aar.researchers.hands import Hands, Lost, _checked, open_hands
from aar.sandboxes import Limits, Mount, available, results
from aar.task.folder import ModelSpec, TaskSpec, read_rows

LIMITS = Limits(wall_s=300, memory_mb=1500, pids=64, disk_mb=64, output_mb=1)
METHOD = """
from aar.methods.parts.recipe import Recipe

def run(task):
    return Recipe(label="soft", epochs=3).run(task)
"""


@pytest.fixture(scope="module")
def hands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hands]:
    try:
        sandbox = available()
    except ProviderDown as down:
        pytest.skip(down.message)
    folder = tmp_path_factory.mktemp("hands")
    task, features, student = (
        write_task(folder / "task", seeds=2, train=24, test=20),
        folder / "features",
        folder / "student",
    )
    spec = TaskSpec.load(task)
    TaskSpec(spec.name, spec.kind, ModelSpec("fake", "fake", 1, features=("/features/public",)), spec.runs).save(task)
    read = sorted(
        {
            t
            for part in ("train", "test")
            for row in read_rows(task / f"{part}.jsonl", "pair").texts
            for t in texts.of(row)
        }
    )
    drawn = np.random.default_rng(0).normal(size=(len(read), 6)).astype(np.float32)
    shards.write(features / "fake", [shards.key_of(t) for t in read], {("mean", 1): drawn})
    student.mkdir()
    made = open_hands(folder / "home", task, features, student, folder / "findings", sandbox=sandbox, limits=LIMITS)
    yield made
    made.close()


def write(hands: Hands, name: str, source: str) -> str:
    folder = hands.methods / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "method.py").write_text(source)
    return name


def test_warm_runs_of_seeds_and_folds(hands: Hands) -> None:
    """Every seed predicts all test rows; the folds together predict every training row once; the process stays."""
    reply = hands.run(write(hands, "good", METHOD), "out/1", ["0", "1"], ("0", 2))
    assert reply.code == 0
    first = hands.pid
    test, train = (read_rows(hands.task / f"{part}.jsonl", "pair").ids for part in ("test", "train"))
    for seed in "01":
        assert tuple(results.read_json(hands.workspace, f"out/1/{seed}.json")["ids"]) == test
    folds = [results.read_json(hands.workspace, f"out/1/0.fold{k}.json")["ids"] for k in range(2)]
    assert sorted(folds[0] + folds[1]) == sorted(train)
    again = hands.run("good", "out/2", ["0"])
    assert hands.pid == first
    assert again.seconds < 30
    assert results.read_json(hands.workspace, "out/2/0.json") == results.read_json(hands.workspace, "out/1/0.json")


def test_a_failing_and_a_slow_method_leave_it_warm(hands: Hands) -> None:
    """An exception and a run beyond its time are told by code; the process lives on and the host is not written to."""
    hands.run(write(hands, "good", METHOD), "out/3", ["0"])
    first = hands.pid
    assert hands.run(write(hands, "bad", "def run(task): raise ValueError('no')"), "out/4", ["0"]).code == 1
    assert "ValueError" in results.read_json(hands.workspace, "out/4/0.error.json")["message"]
    assert (
        hands.run(
            write(hands, "slow", "import time\ndef run(task): time.sleep(60)"), "out/5", ["0"], deadline_s=1.0
        ).code
        == 124
    )
    spoil = "def run(task):\n open('/methods/good/method.py', 'w')"
    assert hands.run(write(hands, "spoil", spoil), "out/6", ["0"]).code == 1
    assert (hands.methods / "good" / "method.py").read_text() == METHOD
    assert hands.pid == first


def test_killed_hands_come_back(hands: Hands) -> None:
    """kill -9 in the middle of a trial: the process is started again and the trial ends as if nothing was."""
    method = write(hands, "good", METHOD)
    hands.run(method, "out/7", ["0"])
    first = hands.pid
    assert first
    killer = threading.Timer(0.05, os.kill, (first, signal.SIGKILL))
    killer.start()
    write(hands, "pause", "import time\n" + METHOD.replace("    return", "    time.sleep(0.5)\n    return"))
    assert hands.run("pause", "out/8", ["0"]).code == 0
    killer.join()
    assert hands.pid != first
    assert len(results.read_json(hands.workspace, "out/8/0.json")["p"]) == 20


def test_a_broken_limit_is_the_method_s_fault(hands: Hands) -> None:
    """Memory beyond the sandbox's: MethodError, no endless restarts, and the next trial works."""
    hog = write(
        hands,
        "hog",
        "def run(task):\n    x = [bytearray(1 << 26) for _ in range(64)]\n    [b.__setitem__(slice(None), b'x' * len(b)) for b in x]",
    )
    try:
        told = str(hands.run(hog, "out/9", ["0"]).code)  # where the limit is an rlimit, malloc fails instead
    except MethodError as error:
        told = error.code
    assert told in ("1", "memory_limit")
    assert hands.run(write(hands, "good", METHOD), "out/10", ["0"]).code == 0


@pytest.mark.parametrize(
    "reply",
    [
        [],
        {},
        {"id": 2, "code": 0, "seconds": 1},
        {"id": 1, "code": "0", "seconds": 1},
        {"id": 1, "code": 7, "seconds": 1},
        {"id": 1, "code": 0, "seconds": -1},
        {"id": 1, "code": 0, "seconds": "x"},
        {"id": 1, "code": 0},
        None,
        "ok",
    ],
)
def test_replies_that_do_not_fit_are_no_replies(reply: object) -> None:
    """Another id, an unknown code, a time that is none."""
    with pytest.raises(Lost):
        _checked(reply, 1)


def test_closing_cuts_a_trial_short(hands: Hands) -> None:
    """A study that stops does not wait for a method; closed hands stay closed. (Last: it ends the shared hands.)"""
    method = write(hands, "sleeper", "import time\ndef run(task): time.sleep(60)")
    hands.run(write(hands, "good", METHOD), "out/11", ["0"])
    begin = time.monotonic()
    threading.Timer(0.3, hands.close).start()
    with pytest.raises(Stopped):
        hands.run(method, "out/12", ["0"])
    assert time.monotonic() - begin < 20
    with pytest.raises(Stopped):
        hands.run("good", "out/13", ["0"])


def test_mounts_must_show_what_hands_need(tmp_path: Path) -> None:
    """A missing mount is named before anything starts."""
    with pytest.raises(InputError, match="/methods"):
        Hands(None, [Mount(tmp_path, "/task")])  # type: ignore[arg-type]
