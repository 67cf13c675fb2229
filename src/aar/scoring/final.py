"""The final lane: private rows, opened once, and testbeds no researcher of the study has seen.

What is opened was predicted at the rerun and sealed then; nothing is trained or chosen here. The intervals hold
together over all methods opened (bootstrap max-t). Whoever calls has registered the primary method first and records
that the rows are spent: this module only computes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aar.errors import NotFound
from aar.sandboxes.base import Sandbox
from aar.scoring.metrics import Interval, simultaneous_intervals
from aar.scoring.problem import Problem
from aar.scoring.rerun import RerunRules, Verdict, rerun, restricted, sealed_predictions
from aar.scoring.result import NO_CEILING, Scorer
from aar.settings import LabFolder
from aar.types import NotScored, Predictions

MAX_PROMOTED = 10


@dataclass(frozen=True)
class Opened:
    """PGR per submission on the private rows; n rows stand behind each."""

    pgr: Mapping[str, Interval | NotScored]
    n: int


def open_private(lab: LabFolder, problem: Problem, submissions: Sequence[str]) -> Opened:
    """Score the sealed predictions of these submissions on the private rows, in one go."""
    scorer = Scorer(lab, problem, "private")
    right = {s: _right(lab, scorer, s) for s in submissions}
    if scorer.ceiling is None:
        unscored = NotScored(NO_CEILING)
        return Opened(dict.fromkeys(right, unscored), len(scorer.ids))
    return Opened(simultaneous_intervals(right, scorer.floor, scorer.ceiling, scorer.groups), len(scorer.ids))


def _right(lab: LabFolder, scorer: Scorer, submission: str) -> np.ndarray:
    """[seeds, n] correctness of what the rerun predicted on the private rows."""
    path = sealed_predictions(lab, submission)
    if not path.exists():
        raise NotFound(
            f"submission {submission} has no sealed predictions", hint="only verified submissions can be opened"
        )
    with np.load(path, allow_pickle=False) as sealed:
        ids, p = tuple(sealed["ids"].tolist()), sealed["p"]
    return np.stack([scorer.right(restricted(Predictions(ids, row), scorer.ids)) for row in p])


def transfer(
    lab: LabFolder, sandbox: Sandbox, problem: Problem, submission: str, files: Mapping[str, bytes], rules: RerunRules
) -> Verdict:
    """Rerun a snapshot on another problem, under an id of its own."""
    return rerun(lab, sandbox, problem, f"{submission}-on-{problem.testbed}", files, rules)
