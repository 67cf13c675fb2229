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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np

from aar.errors import AarError, BudgetSpent, Conflict, InputError, MethodError, ProviderDown
from aar.lab import ledger, promotion, queue
from aar.lab.queue import Job, SeedRun
from aar.lab.scorer import GateScorer
from aar.lab.services import Lab, open_lab
from aar.sandboxes import available
from aar.scoring.metrics import Interval, score_as_json
from aar.scoring.problem import Problem
from aar.scoring.rerun import RerunRules, Verdict, public_failure, rerun, restricted, sealed_predictions
from aar.settings import LabFolder
from aar.types import Predictions

log = logging.getLogger(__name__)
POLL_S = 0.25
BEAT_S = 10.0


def work(lab: Lab, name: str, rules: RerunRules = RerunRules(), *, forever: bool = True) -> int:
    """Rerun what is queued; with forever=False until the queue is empty. Returns how many were closed."""
    done, parent = 0, int(os.environ.get("AAR_PARENT") or os.getppid())  # who started it may be gone by now
    while os.getppid() == parent and not lab.stopping:
        job = queue.claim(lab.store, name)
        if job is not None:
            run_job(lab, job, rules)
            done += 1
        elif not forever:
            break
        else:
            time.sleep(POLL_S)
    return done


def run_job(lab: Lab, job: Job, rules: RerunRules) -> None:
    """One submission to its verdict or failure. A lost lease drops the result: another worker has it."""
    start = time.monotonic()
    try:
        with _kept_alive(lab, job):
            problem = Problem.parse(job.problem)
            verdict = rerun(lab.folder, available(), problem, str(job.id), lab.code.get(job.snapshot), rules)
            checked = promotion.wanted(lab, problem, verdict, rules)
            report = promotion.look_over(lab, job.id, rules) if checked else None
        exact = verdict.as_json() | ({"evidence": report.as_json()} if report else {})
        with lab.store.transaction():
            said = _public(lab, job)
            queue.finish(lab.store, job, exact, said, _runs(verdict), review=bool(report and report.flagged),
                         board=report.board if report else None)
            _charge(lab, job, time.monotonic() - start)
    except Conflict:
        log.warning("submission %s went to another worker", job.id)
    except MethodError as error:
        code, message = public_failure(error, rules.limits)
        _fail(lab, job, "method", code, message, {"code": error.code, "message": error.message, "trace": error.hint})
    except ProviderDown as error:
        _fail(lab, job, "provider", error.code, error.message, {})
    except Exception as error:  # the round's boundary: a defect of ours is written down and the next one goes on
        log.exception("submission %s", job.id)
        code = error.code if isinstance(error, AarError) else "lab_fault"
        _fail(
            lab,
            job,
            "lab",
            code,
            "the lab failed while rerunning this; the owner has been told",
            {"trace": traceback.format_exc()[-8000:]},
        )


def _fail(lab: Lab, job: Job, fault: queue.Fault, code: str, message: str, exact: dict[str, Any]) -> None:
    try:
        queue.fail(lab.store, job, fault, code, message, exact)
    except Conflict:
        log.warning("submission %s went to another worker", job.id)


def _public(lab: Lab, job: Job) -> dict[str, Any]:
    """The verdict as the gate lets it out: {status, pgr, accuracy, error}, or why nothing is told."""
    scorer = lab.scorer
    assert isinstance(scorer, GateScorer), "a worker needs the real scorer"
    ids = scorer.exam(job.problem).ids
    with np.load(sealed_predictions(lab.folder, str(job.id)), allow_pickle=False) as sealed:
        known, p = tuple(sealed["ids"].tolist()), sealed["p"]
    runs = [dict(zip(ids, restricted(Predictions(known, row), ids).p, strict=True)) for row in p]
    try:
        said = scorer.verdict(job.researcher, job.problem, job.study, runs)
    except (BudgetSpent, InputError) as error:
        return {"status": "not_told", "pgr": None, "accuracy": None, "error": None, "reason": error.message}
    return {k: said.get(k) for k in ("status", "pgr", "accuracy", "error")}


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


def _battery(said: str) -> Literal["off", "promoted", "all"]:
    """$AAR_BATTERY: the integrity checks take eight more reruns, so the owner asks for them."""
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
        work(lab, name, RerunRules(battery=_battery(os.environ.get("AAR_BATTERY", "off"))))
    finally:
        lab.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    main(*sys.argv[1:3])
