"""The end of a study: what is opened is registered first, then the private rows are opened, once.

The owner's exact look at the verified reruns chooses the primary method and, in that order, at most ten to open with it.
The best of them that is another program than the primary is the runner-up; these two run on the transfer problems.
That look, the registration and the opening are in the audit log before each happens. A finalized study is never opened again;
one that was killed half-way goes on with what it had registered. A label set that an earlier study opened is labelled so.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from aar.errors import Conflict, InputError, MethodError
from aar.executors.base import Job, Needs
from aar.executors.local import LocalExecutor
from aar.lab import links
from aar.lab import studies as rows
from aar.lab.gatestore import SqlLabelSets
from aar.lab.scorer import GateScorer
from aar.lab.services import Lab, open_lab
from aar.lab.tables import AuditEntry, Submission
from aar.sandboxes import available
from aar.scoring.baselines import best_human
from aar.scoring.final import MAX_PROMOTED, Opened, open_private, transfer
from aar.scoring.labelsets import register, unseen
from aar.scoring.metrics import Interval
from aar.scoring.problem import Card, Problem
from aar.scoring.rerun import RerunRules, public_failure
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.studies.events import EventLog, Observe, read_events
from aar.studies.programs import programs
from aar.studies.runner import counts, held
from aar.studies.spec import StudyFolder, StudySpec, write_private
from aar.types import NotScored

ENDPOINT = "PGR on the private rows, 95 % intervals simultaneous over all opened, by question"
REUSED = "re-used holdout"


@dataclass(frozen=True)
class Verified:
    """One verified submission as the owner sees it. `exact`: PGR on the interactive rows."""

    id: int
    researcher: str
    method: str
    snapshot: str
    accuracy: float
    exact: dict[str, float] | None


@dataclass(frozen=True)
class Plan:
    """What was registered before anything was opened."""

    primary: int
    promoted: tuple[int, ...]
    label_set: str
    reused: bool
    runner_up: int | None = None


def finalize(
    lab: LabFolder, name: str, observe: Observe | None = None, rules: RerunRules = RerunRules()
) -> dict[str, Any]:
    """Register, open, transfer; the result, also in `result.json`. Conflict where the study runs or was opened before."""
    folder = StudyFolder(lab, name)
    spec = folder.load()
    with held(folder), contextlib.closing(open_lab(lab, lambda store: GateScorer(lab, store))) as opened_lab:
        _refuse_second(opened_lab, name)
        with contextlib.closing(EventLog(folder.events, observe)) as log:
            found = _verified(opened_lab, spec)
            plan = _registered(opened_lab, name) or _register(opened_lab, spec, found)
            log.tell(
                "",
                "study",
                f"registered submission {plan.primary} as primary, {len(plan.promoted)} to open",
                state="finalizing",
            )
            opened = open_private(lab, Problem.parse(spec.problem), [str(i) for i in plan.promoted])
            moved = _transfer(opened_lab, spec, plan, found, rules, log)
            result = _result(folder, spec, plan, found, opened, moved)
            write_private(folder.result, result)
            rows.set_state(opened_lab, name, "finalized")
            log.tell("", "study", "finalized", state="finalized")
    return result


def _refuse_second(lab: Lab, name: str) -> None:
    if rows.read(lab, name).state == "finalized":
        raise Conflict(
            f"the private rows of study {name!r} were opened already: they are spent",
            code="opened_already",
            hint=f"aar study report {name}; a new study needs new rows to claim anything",
        )


def _verified(lab: Lab, spec: StudySpec) -> list[Verified]:
    """Best first, one per snapshot, each over all its seeds. The look is recorded before it is taken."""
    with lab.store.transaction():
        lab.store.record("owner", "look.exact", study=spec.name, why="finalize")
    query = sa.select(Submission).where(
        Submission.study == spec.name,
        Submission.problem == Problem.parse(spec.problem).name,
        Submission.state == "verified",
    )
    with lab.store.reading() as session:
        apart = links.unranked(session)
        rows = [row for row in session.scalars(query.order_by(Submission.id)) if row.id not in apart]
        found = [_seen(row) for row in rows if not (row.verdict or {}).get("screened")]
    if not found:
        raise InputError(
            f"study {spec.name!r} has no verified submission to open",
            code="nothing_verified",
            hint=f"aar study status {spec.name}; aar study resume {spec.name}",
        )
    first = {v.snapshot: v for v in reversed(found)}
    return sorted(first.values(), key=lambda v: (-v.accuracy, v.id))


def _seen(row: Submission) -> Verified:
    test = (row.verdict or {})["test"]
    return Verified(row.id, row.researcher, row.method, row.snapshot, test["acc"]["mean"], test["pgr"])


def _registered(lab: Lab, name: str) -> Plan | None:
    """What an earlier session registered, if it was killed before its end."""
    for body in _entries(lab, "final.register"):
        if body["study"] == name:
            return Plan(
                body["primary"], tuple(body["promoted"]), body["label_set"], body["reused"], body.get("runner_up")
            )
    return None


def _register(lab: Lab, spec: StudySpec, found: Sequence[Verified]) -> Plan:
    """Primary, endpoint and what is opened with it; committed, and in the audit log, before anything is opened."""
    problem, promoted = Problem.parse(spec.problem), tuple(v.id for v in found[:MAX_PROMOTED])
    private = Sealed(lab.folder).rows(problem.testbed, "private")
    with lab.store.transaction():
        label_set = register(SqlLabelSets(lab.store), private.texts)
        reused = any(body["label_set"] == label_set for body in _entries(lab, "final.open"))
        plan = Plan(promoted[0], promoted, label_set, reused, _runner_up(lab, found[:MAX_PROMOTED]))
        lab.store.record(
            "owner",
            "final.register",
            study=spec.name,
            problem=problem.name,
            endpoint=ENDPOINT,
            transfer=list(spec.transfer),
            **plan.__dict__,
        )
        lab.store.record("owner", "final.open", study=spec.name, label_set=label_set, rows=len(private))
    return plan


def _runner_up(lab: Lab, found: Sequence[Verified]) -> int | None:
    """The next best that is not the primary's program again; its parameters are a part of it."""
    first = programs(lab.code.get(found[0].snapshot))
    return next((v.id for v in found[1:] if programs(lab.code.get(v.snapshot)) != first), None)


def _entries(lab: Lab, action: str) -> list[dict[str, Any]]:
    with lab.store.reading() as session:
        return list(
            session.scalars(sa.select(AuditEntry.body).where(AuditEntry.action == action).order_by(AuditEntry.id))
        )


# -- problems that no researcher has seen


def _transfer(
    lab: Lab, spec: StudySpec, plan: Plan, found: Sequence[Verified], rules: RerunRules, log: EventLog
) -> dict[int, dict[str, Any]]:
    """Primary and runner-up on each transfer problem, rerun side by side: submission -> problem -> figures."""
    snapshots, sandbox = {v.id: v.snapshot for v in found}, available()

    def run(submission: int, problem: Problem) -> dict[str, Any]:
        seen = {"seen": not _is_unseen(lab, problem)}
        try:
            verdict = transfer(
                lab.folder, sandbox, problem, str(submission), lab.code.get(snapshots[submission]), rules
            )
        except MethodError as error:  # it cannot do what this problem asks: a result too
            return {"pgr": None, "lo": None, "hi": None, "not_scored": public_failure(error, rules.limits)[1], **seen}
        log.tell(
            "",
            "study",
            f"submission {submission} ran on {problem.short}",
            state="finalizing",
            seconds=round(verdict.seconds, 1),
        )
        return _figures(verdict.test.pgr) | seen

    def job(submission: int, problem: Problem) -> Job[dict[str, Any]]:
        return Job(
            "owner", f"{submission} on {problem.short}", lambda lease: run(submission, problem), Needs(), "rerun"
        )

    best = [i for i in (plan.primary, plan.runner_up) if i is not None]
    wanted = [(i, Problem.parse(name)) for i in best for name in spec.transfer]
    with LocalExecutor() as executor:
        handles = [executor.submit(job(i, p)) for i, p in wanted]
        done = {pair: handle.result() for pair, handle in zip(wanted, handles, strict=True)}
    return {i: {p.name: done[i, p] for j, p in wanted if j == i} for i in best}


def _is_unseen(lab: Lab, problem: Problem) -> bool:
    """Whether no researcher has had an answer about this problem's interactive rows."""
    with lab.store.transaction():
        sets = SqlLabelSets(lab.store)
        return bool(unseen(sets, [register(sets, Sealed(lab.folder).rows(problem.testbed, "test").texts)]))


# -- the result


def _result(
    folder: StudyFolder,
    spec: StudySpec,
    plan: Plan,
    found: Sequence[Verified],
    opened: Opened,
    moved: dict[int, dict[str, Any]],
) -> dict[str, Any]:
    problem = Problem.parse(spec.problem)
    card, by_id, arms = (
        Card.load(folder.lab, problem),
        {v.id: v for v in found},
        {m.name: m.arm for m in spec.researchers},
    )
    best, done = by_id[plan.primary], counts(read_events(folder.events))
    second = by_id[plan.runner_up] if plan.runner_up is not None else None
    return {
        "study": spec.name, "problem": problem.name, "researchers": len(spec.researchers), **done,
        "verified": len(found), "floor": round(card.floor["mean"], 4), "ceiling": card.ceiling and round(card.ceiling["mean"], 4),
        "human_baseline": best_human(folder.lab, problem),
        "best_verified": _named(best),
        "final": {**_figures(opened.pgr[str(best.id)]), "n": opened.n, **({"label": REUSED} if plan.reused else {})},
        "endpoint": ENDPOINT,
        "opened": [
            {"submission": i, "researcher": by_id[i].researcher, "arm": arms.get(by_id[i].researcher), "method": by_id[i].method,
             **_figures(opened.pgr[str(i)])}
            for i in plan.promoted
        ],
        "transfer": moved[best.id],
        "runner_up": second and {"submission": second.id, **_named(second), "transfer": moved[second.id]},
    }  # fmt: skip


def _named(v: Verified) -> dict[str, Any]:
    return {"method": v.method, "researcher": v.researcher, **_figures_of(v.exact)}


def _figures(pgr: Interval | NotScored) -> dict[str, Any]:
    if isinstance(pgr, NotScored):
        return {"pgr": None, "lo": None, "hi": None, "not_scored": pgr.reason}
    return {"pgr": round(pgr.mean, 4), "lo": round(pgr.lo, 4), "hi": round(pgr.hi, 4)}


def _figures_of(exact: dict[str, float] | None) -> dict[str, Any]:
    if exact is None:
        return {"pgr": None, "lo": None, "hi": None, "not_scored": "the gap between floor and ceiling is too small"}
    return {"pgr": exact["mean"], "lo": exact["lo"], "hi": exact["hi"]}
