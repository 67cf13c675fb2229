"""The journal: nothing that was answered is asked again, nothing that was paid is paid twice."""

from __future__ import annotations

import json
import os
import resource
import signal
from pathlib import Path
from typing import Any

import pytest

from aar.errors import BudgetSpent, Conflict, LabError, ProviderDown
from aar.researchers.journal import Journal


def opened(folder: Path) -> Journal:
    return Journal(folder / "journal.jsonl", "s/r")


def never(key: str) -> Any:
    raise AssertionError(f"{key} was asked again")


def test_answers_are_replayed(tmp_path: Path) -> None:
    """A resumed session gets the recorded answers under the same steps and acts only beyond them."""
    first = opened(tmp_path)
    assert first.call("ask", {"a": 1}, lambda key: {"key": key}).answer == {"key": "s/r/0"}
    first.close()
    again = opened(tmp_path)
    assert again.replaying
    told = again.call("ask", {"a": 1}, never)
    assert (told.answer, told.replayed, told.step) == ({"key": "s/r/0"}, True, 0)
    assert not again.replaying
    assert again.call("ask", {}, lambda key: key).answer == "s/r/1"


def test_a_kill_between_sending_and_hearing_pays_once(tmp_path: Path) -> None:
    """kill -9 after the server charged and before the answer was on disk: the same key is sent again, once."""
    paid = tmp_path / "paid"

    def charge(key: str) -> str:
        known = set(paid.read_text().split()) if paid.exists() else set()
        paid.write_text(" ".join(known | {key}))
        return f"answer to {key}"

    if (child := os.fork()) == 0:
        journal = opened(tmp_path)
        journal.call("ask", 1, lambda key: key)
        journal.call("pay", 2, lambda key: (charge(key), os.kill(os.getpid(), signal.SIGKILL)))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    journal = opened(tmp_path)
    assert journal.call("ask", 1, never).replayed
    assert not journal.replaying
    assert journal.call("pay", 2, charge).answer == "answer to s/r/1"
    assert paid.read_text() == "s/r/1"


def test_a_line_cut_short_never_happened(tmp_path: Path) -> None:
    """A torn last line is taken back, the step before it stays open, and what is written next is whole."""
    path = tmp_path / "journal.jsonl"
    first = opened(tmp_path)
    first.call("ask", 1, lambda key: "yes")
    first.close()
    path.write_bytes(path.read_bytes()[:-9])
    again = opened(tmp_path)
    assert again.call("ask", 1, lambda key: f"{key} again").answer == "s/r/0 again"
    again.close()
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [0, 0]


def test_another_call_is_an_error(tmp_path: Path) -> None:
    """A researcher that does not do what it did is told so; nothing is sent."""
    first = opened(tmp_path)
    first.call("ask", 1, lambda key: None)
    first.close()
    with pytest.raises(LabError, match="was ask, now it is ask") as caught:
        opened(tmp_path).call("ask", 2, never)
    assert caught.value.code == "journal_mismatch"


def test_a_spoilt_line_is_named(tmp_path: Path) -> None:
    """A line in the middle that is no journal line stops everything: no guess, no overwriting."""
    path = tmp_path / "journal.jsonl"
    path.write_text('{"step": 0, "call": "ask", "args": "x", "t": 0}\nspoilt\n')
    with pytest.raises(LabError, match="line 2"):
        opened(tmp_path)
    assert path.read_text().endswith("spoilt\n")


def test_facts_are_kept_and_faults_are_not(tmp_path: Path) -> None:
    """A spent budget is spent on replay too; a lab that was down, or a study that was stopped, is asked again."""

    def fails(error: Exception) -> Any:
        def act(key: str) -> None:
            raise error

        return act

    first = opened(tmp_path)
    with pytest.raises(BudgetSpent):
        first.call("ask", 1, fails(BudgetSpent("none", hint="h")))
    with pytest.raises(ProviderDown):
        first.call("ask", 2, fails(ProviderDown("away")))
    first.close()
    again = opened(tmp_path)
    with pytest.raises(BudgetSpent, match="none") as caught:
        again.call("ask", 1, never)
    assert caught.value.hint == "h"
    with pytest.raises(Conflict):
        again.call("ask", 2, fails(Conflict("stopped", code="study_stopped")))
    again.close()
    third = opened(tmp_path)
    with pytest.raises(BudgetSpent):
        third.call("ask", 1, never)
    assert third.call("ask", 2, lambda key: key).answer == "s/r/1"


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    """Two sessions of one researcher would both act: the second is refused."""
    first = opened(tmp_path)
    with pytest.raises(LabError) as caught:
        opened(tmp_path)
    assert caught.value.code == "journal_held"
    first.close()
    opened(tmp_path).close()


def test_time_adds_up_over_sessions(tmp_path: Path) -> None:
    """The wall clock of a researcher goes on where its journal ends."""
    (tmp_path / "journal.jsonl").write_text('{"step": 0, "call": "ask", "args": "x", "t": 40}\n')
    assert 40 <= opened(tmp_path).elapsed_s < 41


def test_a_full_disk_stops_before_acting(tmp_path: Path) -> None:
    """What cannot be written down is not done, and what is on disk stays readable."""
    journal = opened(tmp_path)
    journal.call("ask", 1, lambda key: "kept")
    size, limits = (tmp_path / "journal.jsonl").stat().st_size, resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, limits[1]))
    try:
        with pytest.raises(LabError) as caught:
            journal.call("pay", 2, never)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.code == "journal_full"
    journal.close()
    again = opened(tmp_path)
    assert again.call("ask", 1, never).answer == "kept"
    assert again.call("pay", 2, lambda key: key).answer == "s/r/1"
