"""Run a method that we trust (the library's own) in this process, over several seeds, and score it.

Researchers' code never comes this way: it is rerun in a sandbox (`aar.scoring.rerun`).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from aar.methods import library
from aar.models.heads import one_thread
from aar.models.scores import ScoreStore
from aar.scoring.features import Progress
from aar.scoring.layout import plain_seeds, research_task
from aar.scoring.problem import Card, Problem
from aar.scoring.result import Result, Scorer
from aar.settings import LabFolder
from aar.task.folder import open_model, open_task
from aar.task.runner import call_method
from aar.types import Predictions


def run_trial(
    lab: LabFolder, problem: Problem, method: str, seeds: Sequence[int], *, params: dict[str, Any] | None = None,
    log: Callable[..., None] | None = None, progress: Progress | None = None,
) -> Result:
    """One configuration of a library method, all its seeds, on the interactive rows. What it has the student score is
    kept beside the public features: a trial reads public rows alone."""
    start, card, module = time.monotonic(), Card.load(lab, problem), library.get(method)
    with tempfile.TemporaryDirectory(prefix="aar-trial-") as place, one_thread():
        folder = Path(place)
        spec = research_task(lab, problem, folder, plain_seeds(seeds, card), in_sandbox=False, params=params)
        student = open_model(spec.student, spec.kind, folder)  # one feature cache for all seeds
        report = partial(progress, f"{problem.short}: scored for {method}, prompts") if progress else None
        student.scores = ScoreStore([lab.features], card.student_id, into=lab.features, progress=report)
        answers = [_answer(module, folder, run, student, log) for run in spec.runs]
    return Scorer(lab, problem).result(method, seeds, answers, time.monotonic() - start)


def _answer(module: ModuleType, folder: Path, run: Any, student: Any, log: Callable[..., None] | None) -> Predictions:
    return call_method(module, replace(open_task(folder, run, log=log), student=student))
