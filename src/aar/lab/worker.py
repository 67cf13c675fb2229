"""A worker: claims submissions, reruns them, hands in verdicts. Its own process, so that torch never lives in the server.

Killing it at any moment loses nothing: its lease runs out and the submission is claimed again. The verdict, what the
gate says of it, and the charge are one transaction. Exits when its parent does.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from aar.errors import AarError, BudgetSpent, Conflict, InputError, MethodError, ProviderDown
from aar.lab import ledger, promotion, queue, room, screening
from aar.lab.queue import Job, SeedRun
from aar.lab.scorer import GateScorer
from aar.lab.services import Lab, open_lab
from aar.sandboxes import available
from aar.scoring.metrics import Interval, score_as_json
from aar.scoring.problem import Problem
from aar.scoring.rerun import RerunRules, Verdict, public_failure, rerun, unsealed
from aar.settings import LabFolder

log = logging.getLogger(__name__)
POLL_S = 0.25
BEAT_S = 10.0


def work(lab: Lab, name: str, rules: RerunRules = RerunRules(), *, forever: bool = True) -> int:
    """Rerun what is queued; with forever=False until the queue is empty. Returns how many were closed."""
    done, parent = 0, int(os.environ.get("AAR_PARENT") or os.getppid())  # who started it may be gone by now
    while os.getppid() == parent and not lab.stopping:
        job = _claimed(lab, name)
        if job is not None:
            run_job(lab, job, rules)
            done += 1
        elif not forever:
            break
        else:
            time.sleep(POLL_S)
    return done


def _claimed(lab: Lab, name: str) -> Job | None:
    """The next one, where there is room to run it and the database answers."""
    if room.free_mb(lab.folder.root) < room.LEAST_MB:
        return None
    try:
        return queue.claim(lab.store, name)
    except ProviderDown as error:
        log.warning("cannot look into the queue: %s", error.message)
        return None


def run_job(lab: Lab, job: Job, rules: RerunRules) -> None:
    """One submission to its verdict or failure. A lost lease drops the result: another worker has it. With no room on the
    disk, or a database that somebody holds, the submission waits: nobody can say then whose fault a failure is."""
    try:
        _run(lab, job, rules)
    except Conflict:
        log.warning("submission %s went to another worker", job.id)
    except Exception as error:  # the round's boundary: what went wrong is written down and the next one goes on
        try:
            if _will_pass(lab, error):
                log.warning("submission %s waits: %s", job.id, error)
                queue.hand_back(lab.store, job)
            else:
                _fail(lab, job, error, rules)
        except AarError as then:
            log.warning("submission %s waits for its lease to end: %s", job.id, then)


def _run(lab: Lab, job: Job, rules: RerunRules) -> None:
    start = time.monotonic()
    with _kept_alive(lab, job):
        problem = Problem.parse(job.problem)
        go_on = partial(screening.could_rank, lab, job, rules)
        verdict = rerun(lab.folder, available(), problem, str(job.id), lab.code.get(job.snapshot), rules, go_on)
        checked = not verdict.screened and promotion.wanted(lab, job, rules)
        report = promotion.look_over(lab, job.id, rules) if checked else None
    exact = verdict.as_json() | ({"evidence": report.as_json()} if report else {})
    with lab.store.transaction():
        said = _untold(screening.SCREENED_OUT, "one seed") if verdict.screened else _public(lab, job)
        queue.finish(
            lab.store,
            job,
            exact,
            said,
            _runs(verdict),
            review=bool(report and report.flagged),
            board=report.board if report else None,
        )
        _charge(lab, job, time.monotonic() - start)


def _will_pass(lab: Lab, error: Exception) -> bool:
    busy = isinstance(error, ProviderDown) and error.code == "database_busy"
    return busy or room.behind(error) or room.free_mb(lab.folder.root) < room.LEAST_MB


def _fail(lab: Lab, job: Job, error: Exception, rules: RerunRules) -> None:
    if isinstance(error, MethodError):
        code, message = public_failure(error, rules.limits)
        exact = {"code": error.code, "message": error.message, "trace": error.hint}
        queue.fail(lab.store, job, "method", code, message, exact)
    elif isinstance(error, ProviderDown):
        queue.fail(lab.store, job, "provider", error.code, error.message, {})
    else:
        log.error("submission %s", job.id, exc_info=error)
        code = error.code if isinstance(error, AarError) else "lab_fault"
        trace = "".join(traceback.format_exception(error))[-8000:]
        queue.fail(
            lab.store,
            job,
            "lab",
            code,
            "the lab failed while rerunning this; the owner has been told",
            {"trace": trace},
        )


def _public(lab: Lab, job: Job) -> dict[str, Any]:
    """The verdict as the gate lets it out: {status, pgr, accuracy, error}, or why nothing is told."""
    scorer = lab.scorer
    assert isinstance(scorer, GateScorer), "a worker needs the real scorer"
    runs = screening.interactive(lab, job, unsealed(lab.folder, str(job.id)))
    try:
        said = scorer.verdict(job.researcher, job.problem, job.study, runs)
    except (BudgetSpent, InputError) as error:
        return _untold("not_told", error.message)
    return {k: said.get(k) for k in ("status", "pgr", "accuracy", "error")}


def _untold(status: str, reason: str) -> dict[str, Any]:
    return {"status": status, "pgr": None, "accuracy": None, "error": None, "reason": reason}


def _runs(verdict: Verdict) -> list[SeedRun]:
    test = verdict.test
    gap = isinstance(test.pgr, Interval) and test.ceiling and test.ceiling["mean"] - test.floor["mean"]
    each = verdict.seconds / len(verdict.seeds)
    return [
        SeedRun(s, a, score_as_json((a - test.floor["mean"]) / gap) if gap else None, each)  # type: ignore[arg-type]
        for s, a in zip(verdict.seeds, test.acc, strict=True)
    ]


def _charge(lab: Lab, job: Job, seconds: float) -> None:
    ledger.charge(
        lab.store, "rerun", ref=f"rerun:{job.id}", researcher=job.researcher, study=job.study, hours=seconds / 3600
    )


@contextmanager
def _kept_alive(lab: Lab, job: Job) -> Iterator[None]:
    """Renews the lease while the block runs."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(BEAT_S):
            try:
                queue.heartbeat(lab.store, job)
            except AarError as error:
                log.warning("heartbeat of submission %s: %s", job.id, error.message)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def rules_of(environment: Mapping[str, str], place: int = 0) -> RerunRules:
    """The owner's settings: $AAR_RERUN_SEEDS, how many seeds a verdict takes (5), $AAR_RERUN_WALL_S and $AAR_RERUN_MEMORY_MB,
    what all seeds together may use, $AAR_RERUN_SCREEN, among how many of its study a rerun must be able to come to go on
    after its first seed (0, always), $AAR_RERUN_GPUS, the host's ("0" or "0,1") of which the worker at `place` uses one, and
    $AAR_BATTERY, which verdicts the integrity checks look over (ten more reruns each, so none unasked)."""
    base = RerunRules()
    gpus = [int(one) for one in environment.get("AAR_RERUN_GPUS", "").split(",") if one.strip().isdigit()]
    limits = replace(
        base.limits,
        wall_s=_number(environment, "AAR_RERUN_WALL_S", round(base.limits.wall_s), 10**7),
        memory_mb=_number(environment, "AAR_RERUN_MEMORY_MB", base.limits.memory_mb, 10**7),
        gpus=(gpus[place % len(gpus)],) if gpus else (),
    )
    seeds = _number(environment, "AAR_RERUN_SEEDS", base.seeds, 16)
    screen = _number(environment, "AAR_RERUN_SCREEN", base.screen, 1000, least=0)
    return RerunRules(seeds, limits, _battery(environment.get("AAR_BATTERY", "off")), screen)


def _number(environment: Mapping[str, str], name: str, default: int, most: int, least: int = 1) -> int:
    said = environment.get(name, "")
    if said and not (said.isdigit() and least <= int(said) <= most):
        what = f"{name}={said[:20]} is no number from {least} to {most}"
        raise InputError(what, code="bad_setting", hint=f"unset it for {default}")
    return int(said or default)


def _battery(said: str) -> Literal["off", "promoted", "all"]:
    known: dict[str, Literal["off", "promoted", "all"]] = {"off": "off", "promoted": "promoted", "all": "all"}
    if said not in known:
        log.warning("AAR_BATTERY=%s is none of %s; the checks stay off", said, ", ".join(known))
    return known.get(said, "off")


def main(root: str, name: str) -> None:
    import torch

    torch.set_num_threads(1)
    folder = LabFolder(Path(root))
    lab = open_lab(folder, lambda store: GateScorer(folder, store))
    try:
        work(lab, name, rules_of(os.environ, os.getpid()))
    finally:
        lab.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    main(*sys.argv[1:3])
