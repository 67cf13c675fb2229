"""What the owner's own runs of library methods have beyond a researcher's: the teacher's labelled rows with their truth, for
methods that ask for them, and a weak model that reads texts which a method writes.

A method that uses trusted rows is not to be compared with one that does without: the method table keeps them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from aar.methods.card import Card as MethodCard
from aar.models import frozen
from aar.models.features import ReadingStore
from aar.models.student import HeadStudent, TrainedHead
from aar.scoring.features import Progress, ensure, store
from aar.scoring.prepare import teacher_base
from aar.scoring.problem import Card, Problem
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.teachers.base import teachers
from aar.types import Rows, Task

FOLDS = 5


def trusted_rows(lab: LabFolder, problem: Problem, seed: int) -> Rows:
    """The rows that teachers learn from, with truth; weak labels are those of teachers that had not seen the row's
    question, since a teacher's errors are to be estimated on them."""
    sealed, teacher = Sealed(lab), teachers.get(problem.teacher)
    rows = sealed.rows(problem.testbed, "labeled")
    truth, base = sealed.labels(problem.testbed, rows.ids).astype(np.float32), teacher_base(lab, teacher, rows.kind)
    questions, which = np.unique(rows.group, return_inverse=True)
    fold = np.random.default_rng(seed).permutation(len(questions))[which] % FOLDS
    weak = np.empty(len(rows), np.float32)
    for held in (fold == k for k in range(FOLDS)):
        weak[held] = teacher.fit(rows.take(~held), truth[~held], seed, base).predict(rows.take(held))
    return replace(rows, weak=weak, truth=truth)


def granting(
    lab: LabFolder, problem: Problem, method: MethodCard, student: HeadStudent, progress: Progress | None
) -> Callable[[Task], Task]:
    """A function that gives a task what this method asks for."""
    card, reads = Card.load(lab, problem), teachers.get(problem.teacher).reads
    reader = reads and ReadingStore(store(lab, str(card.teacher_id), sealed=True), frozen.load(reads[0]))
    asked = "labelled" in method.inputs
    if asked and "features" in method.inputs:
        ensure(lab, problem.testbed, problem.lm, labelled=True, progress=progress)
        student.store = store(lab, card.student_id, sealed=True)

    def grant(task: Task) -> Task:
        if isinstance(task.weak_model, TrainedHead) and reader:
            task.weak_model.student.store = reader
        return replace(task, labelled=trusted_rows(lab, problem, task.seed % card.seeds)) if asked else task

    return grant
