"""Which reruns are worth all their seeds. One seed of a 4B student costs hours, so five only for what could rank.

A rerun ends after its first seed where that seed lies too far below the verdicts of its study that rank. How long a
rerun takes is seen by whoever submitted it, and whoever waits behind it, so how it goes on is an answer about the
labels: it passes the gate as a paid query (`Gate.reaches`) before anything is done about it. Where nothing is left to
pay with, or too few verdicts are known to compare with, the rerun goes on, which says nothing.
"""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa

from aar.errors import BudgetSpent, InputError
from aar.lab import links
from aar.lab.queue import Job
from aar.lab.scorer import GateScorer
from aar.lab.services import Lab
from aar.lab.tables import Run, Submission
from aar.scoring.rerun import Answer, RerunRules, restricted
from aar.types import Predictions

LEAST_SD = 0.01  # of accuracy between seeds, however alike those known are
SCREENED_OUT = "screened_out"


def could_rank(lab: Lab, job: Job, rules: RerunRules, answer: Answer) -> bool:
    """Whether the mean over all seeds may still be among the best `rules.screen` of the study."""
    bar = lowest_first_seed(_verdicts(lab, job), rules.screen)
    if bar is None:
        return True
    return reaches(lab, job, [answer.predictions], bar)


def reaches(lab: Lab, job: Job, seeds: list[Predictions], bar: float) -> bool:
    """Whether these seeds get at least `bar` of the interactive rows right, as far as that can be paid for; else True."""
    try:
        return _scorer(lab).reaches(job.researcher, job.problem, job.study, interactive(lab, job, seeds), bar)
    except (BudgetSpent, InputError):  # the second: too few rows for any lane
        return True


def interactive(lab: Lab, job: Job, seeds: list[Predictions]) -> list[dict[str, float]]:
    """What each seed says of the interactive rows."""
    ids = _scorer(lab).exam(job.problem).ids
    return [dict(zip(ids, restricted(one, ids).p, strict=True)) for one in seeds]


def lowest_first_seed(verdicts: dict[str, list[float]], places: int) -> float | None:
    """The accuracy that a first seed must have: what holds the last place less two standard deviations of the difference
    between one seed and a mean. verdicts: snapshot -> accuracies by seed. None: a place is free."""
    means = sorted((float(np.mean(seeds)) for seeds in verdicts.values()), reverse=True)
    if not places or len(means) < places:
        return None
    spread = [np.var(seeds, ddof=1) for seeds in verdicts.values() if len(seeds) > 1]
    sd = max(LEAST_SD, float(np.sqrt(np.mean(spread))) if spread else 0.0)
    count = max(map(len, verdicts.values()))
    return means[places - 1] - 2 * sd * float(np.sqrt(1 + 1 / count))


def _scorer(lab: Lab) -> GateScorer:
    assert isinstance(lab.scorer, GateScorer), "a worker needs the real scorer"
    return lab.scorer


def _verdicts(lab: Lab, job: Job) -> dict[str, list[float]]:
    """Accuracies by seed of the study's other snapshots that ran to their end, stand and rank; a snapshot's newest
    verdict. One from outside any sandbox may hold stolen labels: it must not end the reruns of others."""
    query = (
        sa.select(Submission)
        .where(Submission.problem == job.problem, Submission.state == "verified", Submission.id != job.id)
        .order_by(Submission.id)
    )
    same_study = Submission.study == job.study if job.study else Submission.study.is_(None)
    with lab.store.reading() as session:
        apart = links.unranked(session)
        rows = [row for row in session.scalars(query.where(same_study)) if row.id not in apart]
        full = {row.snapshot: row.id for row in rows if not (row.verdict or {}).get("screened")}
        runs = sa.select(Run).where(Run.submission.in_(full.values()), Run.accuracy.is_not(None))
        found: dict[int, list[float]] = {}
        for run in session.scalars(runs):
            found.setdefault(run.submission, []).append(run.accuracy or 0.0)
    return {snapshot: found[id_] for snapshot, id_ in full.items() if snapshot != job.snapshot and found.get(id_)}
