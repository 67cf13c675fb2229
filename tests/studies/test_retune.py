"""Retuning a study: what is written, who may be told, and that a running study takes it up."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aar.errors import InputError
from aar.researchers import starts
from aar.researchers.base import Llm
from aar.researchers.grants import NETWORK, USAGE, Grants
from aar.researchers.llm.given import Directed
from aar.sandboxes.meter import used
from aar.settings import LabFolder
from aar.studies.events import StudyEvent
from aar.studies.retune import retune
from aar.studies.runner import run_study
from aar.studies.spec import StudyFolder, StudySpec, team


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    found = StudyFolder(LabFolder(tmp_path / "lab"), "a")
    people = team("a", [("search", 1), ("human", 2)], ["none"])
    found.create(StudySpec("a", "toy", people, llm=Llm(model="scripted")))
    return found


def test_changes_add_up_and_the_first_words_stay(folder: StudyFolder) -> None:
    """Each change counts from its line on; the same study written again is still the same one."""
    first = folder.load()
    retune(folder, {"trials": 3, "usd": 5.0})
    retune(folder, {"usd": 6.0, "wall_s": 60.0}, "mine", "try the tails", ["a.human-2"])
    now = folder.load()
    assert (now.trials, now.wall_s, now.llm) == (3, 60.0, Llm(model="scripted", usd=6.0))
    told = {m.name: now.assignment(m).own_words for m in now.researchers}
    assert told == {"a.search-1": "", "a.human-1": "", "a.human-2": "try the tails"}
    folder.create(first)
    assert folder.written() == first


@pytest.mark.parametrize(
    ("changes", "direction", "who", "why"),
    [
        ({"trials": -1}, "", (), "negative"),
        ({"wall_s": 0}, "", (), "zero"),
        ({}, "", (), "nothing to change"),
        ({}, "none", ("a.search-1",), "its program"),
        ({}, "none", ("a.nobody",), "no such researcher"),
    ],
)
def test_a_refusal_changes_nothing(folder: StudyFolder, changes: Any, direction: str, who: Any, why: str) -> None:
    before = folder.load()
    with pytest.raises(InputError, match=why):
        retune(folder, changes, direction, "", who)
    assert folder.load() == before


def test_a_model_without_a_price_is_refused(tmp_path: Path) -> None:
    """As when the study was written down: unknown costs are asked for, never guessed."""
    pytest.importorskip("inspect_ai")
    folder = StudyFolder(LabFolder(tmp_path / "lab"), "a")
    folder.create(StudySpec("a", "toy", team("a", [("inspect", 1)], ["none"]), llm=Llm(model="scripted")))
    with pytest.raises(InputError, match="nobody knows"):
        retune(folder, {"model": "anthropic/no-such-model-at-all"})
    assert folder.load().llm.model == "scripted"


def test_a_changed_direction_is_told_once(folder: StudyFolder) -> None:
    """In words, to whoever began under another one; again to a session that has not been told."""
    member = folder.load().researchers[1]
    home = folder.home(member.name)
    home.mkdir()
    bench: Any = SimpleNamespace(home=home, assignment=folder.load().assignment(member))
    assert Directed(bench).news() == "", "nothing was told yet: it begins with the new words"
    (home / "prompts.json").write_text(json.dumps({"direction": starts.of(bench.assignment).text}))
    directed = Directed(bench)
    assert directed.news() == ""
    retune(folder, {}, "mine", "try the tails", [member.name])
    now = folder.load()
    bench.assignment = now.assignment(now.researchers[1])
    news = directed.news()
    assert "try the tails" in news
    directed.hear(news)
    assert directed.news() == ""
    assert Directed(bench).news() == news


def test_a_running_study_takes_it_up(quick_lab: LabFolder, make_study: Callable[..., StudyFolder]) -> None:
    """Fewer trials than it began with, said after its first: it ends by itself, with no more than those. Its sandbox has an
    open host, as another study's could; what it used is kept."""
    folder = make_study("a", search=1, random=0, trials=1000, grants=Grants(hosts=("pypi.org",), memory_mb=3000))
    tuned = threading.Event()

    def hear(event: StudyEvent) -> None:
        if event.kind == "trial" and not tuned.is_set():
            retune(folder, {"trials": 3, "evaluations": 0, "submissions": 0})
            tuned.set()

    ended = run_study(quick_lab, "a", hear)
    assert ended.complete
    assert tuned.is_set()
    assert 1 <= ended.trials <= 4, "one may be under way when it is retuned"
    assert ended.submissions == 0
    (member,) = folder.load().researchers
    assert used(folder.home(member.name) / USAGE).cpu_s > 0
    assert (folder.home(member.name) / NETWORK).read_text() == ""
