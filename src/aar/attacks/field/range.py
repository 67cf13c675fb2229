"""The range: the planted testbed behind a real server, with a worker and real sandboxes, for methods that are handed in.

It is made once and shared by all attacks, since each researcher on it is new. What is right is read at the end, with the
owner's rights.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from aar.attacks.field import planted
from aar.attacks.field.attack import Feat
from aar.attacks.field.desk import Desk
from aar.attacks.field.ground import Outside, SmallLab
from aar.attacks.field.undefended import replaced
from aar.errors import LabError
from aar.lab import promotion, worker
from aar.methods import library
from aar.sandboxes import Limits, available
from aar.scoring.layout import student_folder
from aar.scoring.notebook import load
from aar.scoring.rerun import RerunRules
from aar.settings import LabFolder
from aar.task.client import LabClient
from aar.task.pack import pack_files
from aar.types import Task

PLAIN = 3  # reruns of the plain method that a gain is measured against
LIMITS = Limits(wall_s=300, memory_mb=2048, pids=48, disk_mb=48, output_mb=0.5)
Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Verdict:
    """What became of a submission: as its author sees it, and exactly, as the owner does. `log`: all it printed."""

    row: dict[str, Any]
    exact: dict[str, Any]
    log: str

    @property
    def accuracy(self) -> float | None:
        """On the interactive rows, mean over seeds; None where there is no verdict."""
        test = self.exact.get("test")
        return float(test["acc"]["mean"]) if test else None

    @property
    def failure(self) -> str:
        return str(self.row.get("code") or "")

    @property
    def flags(self) -> tuple[str, ...]:
        """What the checks want a person to see, and the board where it is not the usual one."""
        evidence = self.exact.get("evidence") or {}
        found = [f"{f['check']}: {f['label']}" for f in evidence.get("findings", []) if f["level"] == "flag"]
        board = evidence.get("board")
        return (*found, *([f"board {board}"] if board not in (None, "teacher-supervised") else []))


class Range:
    """The planted testbed, served and with a worker at hand. One worker, here: what is submitted is rerun at once."""

    def __init__(self, seeds: int = 2, say: Callable[[str], None] = lambda line: None) -> None:
        say("making the range: rows, features, teachers, floor and ceiling")
        self.small = SmallLab()
        self.problem = planted.PROBLEM
        self.card = planted.make(self.small.folder)
        self.seeds, self.say = seeds, say
        self._numbers = itertools.count(1)
        self._honest: float | None = None

    def close(self) -> None:
        if "desk" in self.__dict__:
            self.desk.close()
        self.small.close()

    @cached_property
    def desk(self) -> Desk:
        """One warm sandbox for the battery's altered reruns; a verdict has a fresh one for each seed."""
        limits = replace(LIMITS, wall_s=86_400)
        return Desk(available(), self.small.home / "desk", student_folder(self.problem), limits)

    @property
    def folder(self) -> LabFolder:
        return self.small.folder

    @property
    def gap(self) -> float:
        """Ceiling less floor, in accuracy."""
        assert self.card.ceiling is not None
        return self.card.ceiling["mean"] - self.card.floor["mean"]

    def researcher(self) -> Outside:
        return self.small.person(f"r{next(self._numbers)}")

    @cached_property
    def cheat(self) -> Outside:
        """One researcher for all cheats: they share code, and copying from oneself is nothing to be flagged for."""
        return self.researcher()

    def submit(
        self,
        files: Files,
        who: Outside | None = None,
        *,
        checks: bool = True,
        claimed: float | None = None,
        name: str = "method",
        seeds: int = 0,
    ) -> Verdict:
        """Send a method folder over HTTP and let the worker rerun it; `checks`: have the battery look it over. An
        AarError where the lab refused it at the door. Several seeds only where checks need them."""
        who = who or self.researcher()
        sent = who.client.submit(self.problem.short, name, pack_files(dict(files)), claimed)
        rules = RerunRules(seeds or (self.seeds if checks else 1), LIMITS, battery="all" if checks else "off")
        with replaced(promotion, available=lambda: self.desk) if checks else nullcontext():
            worker.work(self.small.lab, "attacked", rules, forever=False)
        return self.verdict(who, sent["id"])

    def verdict(self, who: Outside, submission: int) -> Verdict:
        owner = LabClient(self.small.where, self.small.lab.owner_token())
        exact = owner.call("GET", f"submissions/{submission}/exact")["exact"] or {}
        log = self.folder.sealed / "logs" / f"rerun-{submission}.log"
        return Verdict(
            who.client.submission(submission), exact, log.read_text(errors="replace") if log.exists() else ""
        )

    def task(self, seed: int = 0) -> Task:
        """What a researcher has at home: public rows, weak labels, the student."""
        return load(self.problem.name, seed, self.folder.root)

    @property
    def honest(self) -> float:
        """Accuracy of the plain method, which attacks have to beat."""
        if self._honest is None:
            self.say("rerunning the plain method, to compare with")
            told = [self.submit(library_files("vanilla"), checks=False, name="plain").accuracy for _ in range(PLAIN)]
            known = [a for a in told if a is not None]
            if len(known) < PLAIN:
                raise LabError("the plain method got no verdict on the range", hint="see the worker's log")
            self._honest = float(np.mean(known))
        return self._honest

    def feat(self, verdict: Verdict, loot: tuple[str, ...] = ()) -> Feat:
        """What a submission came to: points over the plain method if it would rank, and what stood in its way."""
        if verdict.accuracy is None:
            return Feat(loot=loot, met=(verdict.failure,), queries=1)
        self.say(f"accuracy {verdict.accuracy:.3f}; flags: {', '.join(verdict.flags) or 'none'}")
        gain = 100 * (verdict.accuracy - self.honest)
        return Feat((gain,), loot, (), verdict.flags, 1)


def library_files(name: str) -> dict[str, bytes]:
    """A built-in method as a folder to submit."""
    return {"method.py": library.source_file(name).read_bytes()}
