"""Promotion: a verified submission is looked over by the integrity checks before it counts for more.

Puts together what the checks need from the lab's side (earlier code and its figures, credits, the researcher's
queries), has the battery run, and keeps its report as the submission's evidence, with the board that was measured.
Flags send a submission to a person; what a person has decided already stays decided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aar.errors import Conflict, NotFound
from aar.lab import events, links, screening
from aar.lab.gatestore import SqlGateStore
from aar.lab.queue import Job
from aar.lab.scorer import GateScorer
from aar.lab.services import Lab
from aar.lab.tables import Review, Run, Snapshot, Submission
from aar.sandboxes import available
from aar.scoring.baselines import human_accuracy
from aar.scoring.integrity.battery import Report, audit, scored_case
from aar.scoring.integrity.case import Case, Code
from aar.scoring.problem import Problem
from aar.scoring.rerun import RerunRules, unsealed

EARLIER = 300  # snapshots compared with, newest first
Progress = Callable[[str], None]


def promote(
    lab: Lab, actor: str, submission: int, rules: RerunRules = RerunRules(), progress: Progress = lambda doing: None
) -> Report:
    """Look over a submission that has a verdict and keep what was found. With a flag it waits for a person."""
    with lab.store.reading() as session:
        row = session.get(Submission, submission)
        if row is None:
            raise NotFound(f"no submission {submission}")
        if not row.verdict or "test" not in row.verdict:
            raise Conflict(f"submission {submission} is {row.state}", hint="only one with a verdict can be checked")
    report = look_over(lab, submission, rules, progress)
    keep(lab, actor, submission, report)
    return report


def keep(lab: Lab, actor: str, submission: int, report: Report) -> None:
    """A report becomes the submission's evidence; a flag puts one that nobody has decided on before a person."""
    with lab.store.transaction() as session:
        row = session.get_one(Submission, submission)
        decided = session.scalar(sa.select(sa.func.count()).where(Review.submission == submission))
        row.verdict, row.board = {**(row.verdict or {}), "evidence": report.as_json()}, report.board
        if report.flagged and row.state == "verified" and not decided:
            row.state = "pending_review"
        lab.store.record(
            actor, "submission.checked", id=submission, flagged=report.flagged, board=report.board, state=row.state
        )
        told = {
            "id": row.id,
            "state": row.state,
            "problem": row.problem,
            "method": row.method,
            "researcher": row.researcher,
        }
        events.publish(lab.store, "submission", told, row.study)


def look_over(lab: Lab, submission: int, rules: RerunRules, progress: Progress = lambda doing: None) -> Report:
    """Run the battery on a submission whose predictions are sealed already. Writes nothing to the database."""
    case, problem = case_of(lab, submission)
    return audit(lab.folder, available(), problem, str(submission), case, rules, progress)


def wanted(lab: Lab, job: Job, rules: RerunRules) -> bool:
    """Whether a worker should have this verdict looked over now. That takes time which its researcher sees, so being
    above the best human baseline is asked through the gate."""
    if rules.battery != "promoted":
        return rules.battery == "all"
    bar = human_accuracy(lab.folder, Problem.parse(job.problem))
    return bar is not None and screening.reaches(lab, job, unsealed(lab.folder, str(job.id)), bar)


def case_of(lab: Lab, submission: int) -> tuple[Case, Problem]:
    """Everything the checks read, from both sides."""
    assert isinstance(lab.scorer, GateScorer), "the checks need the real scorer"
    with lab.store.reading() as session:
        row = session.get_one(Submission, submission)
        others = earlier(lab, session, row)
    with lab.store.transaction():
        label_set = lab.scorer.exam(row.problem).label_set
    log = [e for e in SqlGateStore(lab.store).entries(label_set, 0) if e.researcher == row.researcher]
    problem = Problem.parse(row.problem)
    case = scored_case(lab.folder, problem, str(submission), lab.code.get(row.snapshot))
    return replace(case, claimed=row.claimed, researcher=row.researcher, others=others, log=log), problem


def earlier(lab: Lab, session: Session, row: Submission) -> list[Code]:
    """Earlier snapshots, and the verdicts on this problem that each of them has had."""
    mine = session.get_one(Snapshot, row.snapshot)
    credited = _ancestors(session, row.snapshot) | {row.snapshot}
    query = sa.select(Snapshot).where(Snapshot.created <= mine.created).order_by(Snapshot.created.desc()).limit(EARLIER)
    judged = sa.select(Submission).where(
        Submission.problem == row.problem, Submission.id < row.id, Submission.state.in_(("verified", "pending_review"))
    )
    verdicts: dict[str, list[int]] = {}
    for other in session.scalars(judged):
        verdicts.setdefault(other.snapshot, []).append(other.id)
    found = []
    for snapshot in session.scalars(query).all():
        code = Code(snapshot.id, snapshot.researcher, lab.code.get(snapshot.id), snapshot.id in credited)
        for id_ in verdicts.get(snapshot.id, []):
            figures = session.scalars(sa.select(Run.pgr).where(Run.submission == id_, Run.pgr.is_not(None)))
            found.append(replace(code, submission=id_, pgr=tuple(x for x in figures if x is not None)))
        if snapshot.id not in verdicts and snapshot.id != row.snapshot:
            found.append(code)
    return found


def _ancestors(session: Session, snapshot: str) -> set[str]:
    """Snapshots this one names as parents, at any distance."""
    known: set[str] = set()
    waiting = [snapshot]
    while waiting:
        parents = {
            p.removeprefix("snapshot:") for p in links.parents_of(session, links.node("snapshot", waiting.pop()))
        }
        waiting += sorted(parents - known)
        known |= parents
    return known
