"""An LLM researcher's world: a fake lab, a real sandbox, a real Inspect process, and the Messages API on loopback."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("inspect_ai", reason='the extra "llm" is not installed')

from aar.errors import ProviderDown
from aar.researchers.base import Assignment, Llm, researchers
from aar.researchers.llm.purse import Purse
from aar.sandboxes import available
from aar.testing.messages import FakeMessages

MODEL = "anthropic/scripted"


class Lab:
    """One researcher, `ada`, of the study `s`, over any number of sessions."""

    def __init__(self, world: Any, fake: FakeMessages) -> None:
        self.world, self.fake, self.arm = world, fake, "inspect"
        self.root = world.folder.parents[1]
        self.home = world.folder / "ada"
        self.purse = Purse(self.root / "state" / "spending.jsonl")

    def assignment(self, llm: Llm | None = None, **changes: Any) -> Assignment:
        given: Assignment = self.world.assignment("ada", self.arm, evaluations=2, submissions=2, **changes)
        return replace(given, llm=llm or Llm(model=MODEL))

    def session(self, llm: Llm | None = None, **changes: Any) -> None:
        """One start of the arm; raises what ends it."""
        who = self.assignment(llm, **changes)
        bench = self.world.bench(who)
        try:
            researchers.get(self.arm)(who).work(bench)
        finally:
            bench.close()
            bench.hands.close()

    def until_done(self, most: int = 60, llm: Llm | None = None) -> int:
        """Start it again and again, as a study does, until it ends by itself. Returns how many starts that took."""
        for starts in range(1, most + 1):
            with suppress(ProviderDown):
                self.session(llm)
                return starts
        raise AssertionError(f"not done after {most} starts")

    def steps(self, call: str) -> list[dict[str, Any]]:
        """Recorded answers of this kind of step, in order."""
        lines = [json.loads(line) for line in (self.home / "journal.jsonl").read_text().splitlines()]
        mine = {line["step"] for line in lines if line.get("call") == call}
        return [line["answer"] for line in lines if line["step"] in mine and "answer" in line]

    def texts(self) -> Iterator[tuple[Path, bytes]]:
        """Every file that this researcher's work left anywhere."""
        for path in self.root.rglob("*"):
            if path.is_file():
                yield path, path.read_bytes()

    def children(self) -> list[int]:
        """Processes that work for this researcher now."""
        import psutil

        here = re.escape(str(self.home))
        found = []
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):  # one that just ended
                if re.search(here, " ".join(process.cmdline())):
                    found.append(process.pid)
        return found


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeMessages]:
    with FakeMessages() as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def lab(world: Any, fake: FakeMessages, tmp_path: Path) -> Lab:
    try:
        available()
    except ProviderDown as down:
        pytest.skip(down.message)
    return Lab(type(world)(tmp_path / "lab" / "studies" / "s"), fake)
