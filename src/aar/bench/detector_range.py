"""Where method folders are tried against the battery: a lab of the detectors' world and warm sandboxes, one a worker."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from aar.attacks.field.desk import Desk
from aar.bench import detector_world
from aar.errors import MethodError
from aar.sandboxes import available
from aar.sandboxes.base import Limits
from aar.scoring.integrity.battery import Report, audit, scored_case
from aar.scoring.integrity.case import Case, Code
from aar.scoring.layout import student_folder
from aar.scoring.notebook import load
from aar.scoring.problem import Card, Problem
from aar.scoring.rerun import RerunRules, rerun
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.task.folder import read_weak
from aar.types import Model, Rows

LIMITS = Limits(wall_s=900, memory_mb=3072, pids=64, disk_mb=256, output_mb=8)
Folder = Mapping[str, str]  # file name -> text


@dataclass(frozen=True)
class Known:
    """What a thief may know: the public rows, the weak labels of every teacher draw (each f32 [n]), the student on public
    rows, and `truth` [n], the labels of the interactive test rows, for cheats that bring stolen answers. `canary`: stands
    in each sealed file."""

    train: Rows
    weak: list[np.ndarray]
    test: Rows
    truth: np.ndarray
    canary: str
    student: Model


@dataclass(frozen=True)
class Trial:
    """One method folder through the rerun and the battery. `stopped`: the failure that kept it from there; `flags`: the
    checks that flagged it, `labels`: what they said; `altered`: accuracy on each altered task."""

    family: str
    number: int
    stopped: str = ""
    accuracy: float = 0.0
    flags: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    board: str | None = None
    altered: Mapping[str, float | str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class Range:
    """`kept`: a file of finished trials, one JSON line each, which are not run again."""

    lab: LabFolder
    problem: Problem
    desks: queue.Queue[Desk]
    rules: RerunRules
    dry: bool = False
    kept: Path | None = None
    writing: threading.Lock = field(default_factory=threading.Lock)

    @property
    def card(self) -> Card:
        return Card.load(self.lab, self.problem)

    def known(self) -> Known:
        sealed, testbed = Sealed(self.lab), self.problem.testbed
        train, test = sealed.rows(testbed, "unlabeled"), sealed.rows(testbed, "test")
        drawn = sorted((self.lab.problem(self.problem.name) / "weak").glob("*.json"))
        weak = [read_weak(path, train.ids) for path in drawn]
        student = load(self.problem.name, lab=self.lab.root).student
        return Known(train, weak, test, sealed.labels(testbed, test.ids), sealed.canary(testbed), student)

    def trials(self, folders: Iterable[tuple[str, int, Folder]]) -> Iterator[Trial]:
        """(family, number, folder) -> its trial, in order, as many at a time as there are desks."""
        done = {(t.family, t.number): t for t in self._kept()}

        def one(job: tuple[str, int, Folder]) -> Trial:
            return done.get(job[:2]) or self._keep(self.trial(*job))

        with ThreadPoolExecutor(self.desks.maxsize) as pool:
            yield from pool.map(one, folders)

    def trial(self, family: str, number: int, folder: Folder) -> Trial:
        """Runs it, unless dry through the battery as well."""
        start, name, desk = time.monotonic(), f"{family}-{number}".replace(" ", "-"), self.desks.get()
        files = {k: v.encode() for k, v in folder.items() if not k.startswith("@")}
        try:
            verdict = rerun(self.lab, desk, self.problem, name, files, self.rules)
            told = Trial(family, number, accuracy=verdict.test.mean)
            if not self.dry:
                told = _told(
                    told, audit(self.lab, desk, self.problem, name, self._case(name, files, folder), self.rules)
                )
        except MethodError as error:
            told = Trial(family, number, stopped=f"{error.code}: {error.message[:200]}")
        finally:
            self.desks.put(desk)
        return replace(told, seconds=round(time.monotonic() - start, 2))

    def _case(self, name: str, files: dict[str, bytes], folder: Folder) -> Case:
        earlier = {k.removeprefix("@earlier/"): v.encode() for k, v in folder.items() if k.startswith("@earlier/")}
        others = [Code("e" * 40, "somebody else", earlier)] if earlier else []
        claimed = float(folder["@claimed"]) if "@claimed" in folder else None
        case = scored_case(self.lab, self.problem, name, files)
        return replace(case, claimed=claimed, researcher="author", others=others)

    def _kept(self) -> list[Trial]:
        lines = self.kept.read_text().splitlines() if self.kept and self.kept.exists() else []
        raw: list[dict[str, Any]] = [json.loads(line) for line in lines]
        return [Trial(**(x | {"flags": tuple(x["flags"]), "labels": tuple(x["labels"])})) for x in raw]

    def _keep(self, trial: Trial) -> Trial:
        if self.kept:
            with self.writing, self.kept.open("a") as out:
                out.write(json.dumps(asdict(trial)) + "\n")
        return trial


def _told(trial: Trial, report: Report) -> Trial:
    flags = [f for f in report.findings if f.level == "flag"]
    said = tuple(f"{f.label}: {f.says}" for f in flags)
    return replace(trial, flags=tuple(f.check for f in flags), labels=said, board=report.board, altered=report.accuracy)


@contextmanager
def open_range(
    lab: Path, scratch: Path, *, seeds: int = 2, workers: int = 1, dry: bool = False, kept: Path | None = None
) -> Iterator[Range]:
    """A range on the lab in `lab`, built where it is not there yet; `scratch` holds what the desks show."""
    built, problem = detector_world.build(lab)
    desks: queue.Queue[Desk] = queue.Queue(workers)
    each = [
        Desk(available(), scratch / f"desk{i}", student_folder(problem), replace(LIMITS, wall_s=86_400))
        for i in range(workers)
    ]
    for desk in each:
        desks.put(desk)
    try:
        yield Range(built, problem, desks, RerunRules(seeds=seeds, limits=LIMITS), dry, kept)
    finally:
        for desk in each:
            desk.close()
