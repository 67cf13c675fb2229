"""Run a method that we trust (the library's own) in this process, over several seeds, and score it.

Researchers' code never comes this way: it is rerun in a sandbox (`aar.scoring.rerun`).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from aar.methods import library
from aar.models.heads import one_thread
from aar.models.scores import ScoreStore
from aar.models.student import HeadStudent
from aar.models.tuned.student import TunedStudent
from aar.scoring.features import Progress
from aar.scoring.layout import plain_seeds, research_task
from aar.scoring.problem import Card, Problem
from aar.scoring.result import Result, Scorer
from aar.scoring.trusted import granting
from aar.settings import LabFolder
from aar.task.folder import open_student, open_task
from aar.task.runner import call_method
from aar.types import Predictions, Task


@dataclass(frozen=True)
class Cut:
    """A smaller experiment than the problem's, to see whether something runs: training rows, epochs of a finetuning."""

    rows: int | None = None
    epochs: int | None = None


def run_trial(
    lab: LabFolder,
    problem: Problem,
    method: str,
    seeds: Sequence[int],
    *,
    params: dict[str, Any] | None = None,
    log: Callable[..., None] | None = None,
    progress: Progress | None = None,
    cut: Cut = Cut(),
) -> Result:
    """One configuration of a library method, all its seeds, on the interactive rows. What it has the student score is
    kept beside the public features: a trial reads public rows alone."""
    start = time.monotonic()
    said = answers(lab, problem, method, seeds, params=params, log=log, progress=progress, cut=cut)
    return Scorer(lab, problem).result(method, seeds, said, time.monotonic() - start)


def answers(
    lab: LabFolder,
    problem: Problem,
    method: str,
    seeds: Sequence[int],
    *,
    params: dict[str, Any] | None = None,
    log: Callable[..., None] | None = None,
    progress: Progress | None = None,
    cut: Cut = Cut(),
) -> list[Predictions]:
    """What the method says on the interactive rows, seed by seed, not yet scored. One that asks for trusted rows has them."""
    card, module = Card.load(lab, problem), library.get(method)
    with tempfile.TemporaryDirectory(prefix="aar-trial-") as place, one_thread():
        folder = Path(place)
        spec = research_task(lab, problem, folder, plain_seeds(seeds, card), in_sandbox=False, params=params)
        student = open_student(spec.student, spec.kind, folder)  # one feature cache for all seeds
        if isinstance(student, TunedStudent):
            student.folder, student.report = lab.checkpoints, _reported(progress, problem.short)
            student.rules = replace(student.rules, epochs=cut.epochs or student.rules.epochs)
        frozen = student.frozen if isinstance(student, TunedStudent) else student
        assert isinstance(frozen, HeadStudent)
        report = partial(progress, f"{problem.short}: scored for {method}, prompts") if progress else None
        frozen.scores = ScoreStore([lab.features], card.student_id, into=lab.features, progress=report)
        grant = granting(lab, problem, library.card(method), frozen, progress)
        tasks = (replace(open_task(folder, run, log=log), student=student) for run in spec.runs)
        return [call_method(module, _cut(grant(task), cut)) for task in tasks]


def _cut(task: Task, cut: Cut) -> Task:
    if not cut.rows or cut.rows >= len(task.train):
        return task
    draw = np.random.default_rng(task.seed).permutation(len(task.train))[: cut.rows]
    return replace(task, train=task.train.take(np.sort(draw)))


def _reported(progress: Progress | None, name: str) -> Callable[..., None]:
    """Steps of a finetuning, shown like tokens of an extraction."""
    if progress is None:
        return lambda **scalars: None
    return lambda step, steps, eta_s, **scalars: progress(f"{name}: finetuning, steps", step, steps, eta_s)
