"""`aar.load("code", seed=0)`: the task a method gets, in a notebook. Public rows and weak labels, no gold label."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import Any

from aar.scoring.layout import plain_seeds, research_task
from aar.scoring.problem import Card, Problem
from aar.settings import LabFolder
from aar.task.folder import open_task
from aar.types import Task


def load(problem: str, seed: int = 0, lab: str | Path | None = None, **params: Any) -> Task:
    """The research task of a prepared problem, with its student over cached features. NotFound says how to prepare it."""
    folder, named = LabFolder.find(lab), Problem.parse(problem)
    place = Path(tempfile.mkdtemp(prefix="aar-task-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    research_task(folder, named, place, plain_seeds([seed], Card.load(folder, named)), in_sandbox=False, params=params)
    return open_task(place)
