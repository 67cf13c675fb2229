"""All checks on one submission: each altered rerun once, then every finding, and the board that was measured.

Called at promotion only: it costs one rerun for each alteration. Decides nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aar.methods import library
from aar.sandboxes.base import Sandbox
from aar.scoring.integrity.case import Answer, Case, Finding, checks
from aar.scoring.integrity.reruns import Reruns
from aar.scoring.metrics import correctness
from aar.scoring.problem import Problem
from aar.scoring.rerun import RerunRules, restricted, sealed_predictions
from aar.scoring.result import Scorer
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.types import Predictions


@dataclass(frozen=True)
class Report:
    """`accuracy`: on the verdict's task ("as submitted") and on each altered one, or the error's code there."""

    findings: tuple[Finding, ...]
    accuracy: dict[str, float | str]
    seconds: float = 0.0

    @property
    def flagged(self) -> bool:
        """A person should look before this stays on the board."""
        return any(f.level == "flag" for f in self.findings)

    @property
    def board(self) -> str | None:
        return next((f.board for f in self.findings if f.board), None)

    def as_json(self) -> dict[str, Any]:
        return {
            "flagged": self.flagged,
            "board": self.board,
            "accuracy": self.accuracy,
            "seconds": round(self.seconds, 1),
            "findings": [f.as_json() for f in self.findings],
        }


def examine(
    case: Case, rerun: Callable[[str], Answer | None], progress: Callable[[str], None] = lambda doing: None
) -> Report:
    """Run what the checks need, once each, then the checks. `rerun` gives the answer on an altered task by its name."""
    start, altered = time.monotonic(), dict(case.altered)
    for name in dict.fromkeys(need for _, c in checks for need in c.needs):
        progress(name)
        if name not in altered and (answer := rerun(name)) is not None:
            altered[name] = answer
    alone = getattr(rerun, "alone", None)
    case = replace(case, altered=altered, alone=case.alone if alone is None else correctness(alone, case.truth))
    found = [finding for _, c in checks for finding in c.run(case)]
    found.sort(key=lambda f: f.level != "flag")
    accuracy: dict[str, float | str] = {"as submitted": round(case.accuracy, 4)}
    for name, answer in altered.items():
        accuracy[name] = answer.error if answer.p is None else round(float(correctness(answer.p, case.truth).mean()), 4)
    return Report(tuple(found), accuracy, time.monotonic() - start)


def scored_case(lab: LabFolder, problem: Problem, submission: str, files: dict[str, bytes]) -> Case:
    """The case of a verdict, as far as the scoring side knows it: interactive rows only, private ones stay unspent."""
    scorer, sealed = Scorer(lab, problem, "test"), Sealed(lab)
    with np.load(sealed_predictions(lab, submission), allow_pickle=False) as z:
        known, p = tuple(z["ids"].tolist()), z["p"]
    rows = sealed.rows(problem.testbed, "test")
    text = dict(zip(rows.ids, rows.texts, strict=True))
    train = sealed.rows(problem.testbed, "unlabeled")
    logs = sorted((lab.sealed / "logs").glob(f"rerun-{submission}*.log"))
    gap = scorer.ceiling is not None and float(scorer.ceiling.mean() - scorer.floor.mean())
    case = Case(
        truth=scorer.truth, p=np.stack([restricted(Predictions(known, row), scorer.ids).p for row in p]), kind=rows.kind,
        ids=scorer.ids, hidden_ids=tuple(sealed.gold(problem.testbed, ["private", "ood", "labeled"])), groups=scorer.groups,
        texts=tuple(text[i] for i in scorer.ids), train_texts=train.texts, floor=scorer.floor, files=files,
        known=[{"method.py": library.source_file(name).read_bytes()} for name in library.methods()],
        canaries=(sealed.canary(problem.testbed),), outputs={log.name: log.read_bytes() for log in logs},
    )  # fmt: skip
    if not gap or gap < 0.05:
        return case
    return replace(case, pgr=tuple(((case.right.mean(1) - scorer.floor.mean()) / gap).tolist()))


def audit(
    lab: LabFolder,
    sandbox: Sandbox,
    problem: Problem,
    submission: str,
    case: Case,
    rules: RerunRules,
    progress: Callable[[str], None] = lambda doing: None,
) -> Report:
    """The battery on a case whose snapshot is rerun here."""
    return examine(case, Reruns(lab, sandbox, problem, submission, case.files, case.ids, rules), progress)
