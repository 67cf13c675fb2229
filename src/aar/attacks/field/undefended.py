"""Every defence that an attack has to face, switched off for the time of a block: the control runs.

Each function here puts in the place of one defence what a lab without it would do; most are what the reference system
does. Nothing that runs in a lab reads this module, and no setting or variable can switch a defence off.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from aar.errors import BudgetSpent
from aar.lab import apps, codestore, forum, leaderboard, server, tokens
from aar.lab.leaderboard import BoardRow
from aar.lab.routes import access, snapshots, submissions
from aar.lab.scorer import GateScorer
from aar.lab.services import EvaluationAnswer, Lab
from aar.lab.store import Store
from aar.lab.tables import Submission
from aar.lab.tokens import Identity
from aar.scoring.gate import Exam, Gate, GateAnswer, GateRules, aligned
from aar.scoring.gatelog import Entry
from aar.scoring.metrics import correctness, pgr
from aar.scoring.near import pack


@contextmanager
def replaced(owner: Any, **new: Any) -> Iterator[None]:
    """Attributes of a module or class, replaced for the time of the block."""
    old = {name: getattr(owner, name) for name in new}
    for name, value in new.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name, value in old.items():
            setattr(owner, name, value)


@contextmanager
def together(*parts: contextlib.AbstractContextManager[None]) -> Iterator[None]:
    with ExitStack() as stack:
        for part in parts:
            stack.enter_context(part)
        yield


# -- the gate


def exact_answers() -> contextlib.AbstractContextManager[None]:
    """Every vector is answered with its accuracy, as often as one likes (the reference system)."""

    def answer(self: Gate, exam: Exam, researcher: str, predictions: Mapping[str, float], team: str = "") -> GateAnswer:
        accuracy = float(correctness(aligned(predictions, exam), exam.gold).mean())
        return GateAnswer("improved", accuracy, pgr(accuracy, exam.floor, exam.ceiling or 1.0), False, 10**6)

    return replaced(Gate, answer=answer)


def no_shares() -> contextlib.AbstractContextManager[None]:
    """One pool for all: first come, first served."""
    return replaced(GateRules, share=lambda self, n: 0, own=lambda self, n: self.pool(n))


def look_then_charge() -> contextlib.AbstractContextManager[None]:
    """The budget is looked at first and charged later, without a lock in between."""

    def evaluate(
        self: GateScorer, researcher: str, problem: str, study: str | None, predictions: Mapping[str, float]
    ) -> EvaluationAnswer:
        with self.store.transaction():
            exam = self.exam(problem)
        p, n = aligned(predictions, exam), len(exam.ids)
        paid = sum(e.paid for e in self.gate.store.entries(exam.label_set, 0) if e.researcher == researcher)
        if paid >= self.gate.rules.own(n):
            raise BudgetSpent("nothing is left")
        time.sleep(0.05)
        with self.store.transaction():
            seq = len(self.gate.store.entries(exam.label_set, 0))
            entry = Entry(seq, time.time(), "interactive", researcher, "", exam.problem, exam.rows, n, pack(p), 0.5,
                          True, None, None, False, False, 0, exam.floor, 0.01, 0)  # fmt: skip
            self.gate.store.append(exam.label_set, entry)
        return EvaluationAnswer("not_improved", None, None, False, 0)

    return together(replaced(GateScorer, evaluate=evaluate), replaced(access.Once, __call__=_no_transaction))


def _no_transaction(self: access.Once, who: Identity, status: int, act: Callable[[], Any]) -> Any:
    return access.JSONResponse(access.as_json(act()), status)


# -- who is who


def no_authentication() -> contextlib.AbstractContextManager[None]:
    """Whoever says a name has it, with every right."""

    def verify(store: Store, token: str) -> Identity:
        return Identity("owner", token[:40] or "anybody")

    return replaced(tokens, verify=verify)


def scopes_include_each_other() -> contextlib.AbstractContextManager[None]:
    """Any valid token opens every route."""
    verify = tokens.verify
    return replaced(tokens, verify=lambda store, token: replace(verify(store, token), scope="owner"))


def sockets_for_anybody() -> contextlib.AbstractContextManager[None]:
    """A researcher's socket takes every valid token."""
    made = apps.researcher_app

    def researcher_app(lab: Lab, researcher: str | None = None) -> Any:
        return made(lab, None)

    return replaced(server, researcher_app=researcher_app)


def keys_without_owner() -> contextlib.AbstractContextManager[None]:
    """An Idempotency-Key finds whatever was answered under it, whoever asks and with whatever body."""
    answers: dict[str | None, Any] = {}

    def once(self: access.Once, who: Identity, status: int, act: Callable[[], Any]) -> Any:
        if self.key is None or self.key not in answers:
            answers[self.key] = access.as_json(act())
        return access.JSONResponse(answers[self.key], status)

    return replaced(access.Once, __call__=once)


def keys_forgotten() -> contextlib.AbstractContextManager[None]:
    """An Idempotency-Key is accepted and not looked at."""

    def once(self: access.Once, who: Identity, status: int, act: Callable[[], Any]) -> Any:
        with self.lab.store.transaction():
            return access.JSONResponse(access.as_json(act()), status)

    return replaced(access.Once, __call__=once)


def every_finding_stands() -> contextlib.AbstractContextManager[None]:
    """What a finding says of itself is taken for verified."""
    view = forum._view
    return replaced(forum, _view=lambda session, row: replace(view(session, row), standing="verified"))


def claims_rank() -> contextlib.AbstractContextManager[None]:
    """The board believes what a submission says of itself, rerun or not (the reference system)."""
    ranked = leaderboard._ranked

    def believed(row: Any) -> BoardRow:
        return replace(ranked(row), pgr=row.claimed, status="improved")

    def board(lab: Lab, who: Identity, problem: str) -> leaderboard.Board:
        with lab.store.reading() as session:
            rows = [believed(row) for row in session.scalars(sa.select(Submission))]
        rows.sort(key=lambda r: -(r.pgr or 0))
        return leaderboard.Board(problem, None, None, [replace(r, rank=i) for i, r in enumerate(rows, 1)])

    return replaced(leaderboard, board=board)


# -- what comes in


def any_body() -> contextlib.AbstractContextManager[None]:
    """No size is too large and no JSON too odd."""

    class Unlimited(apps.BodyLimits):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                scope.setdefault("state", {})["body_hash"] = ""
            await self.app(scope, receive, send)

    return replaced(apps, BodyLimits=Unlimited)


def files_by_name() -> contextlib.AbstractContextManager[None]:
    """A problem is the file of that name below the lab's folder (the reference system's `dataset`)."""

    def board(lab: Lab, who: Identity, problem: str) -> leaderboard.Board:
        return leaderboard.Board((lab.folder.root / problem).read_text(), None, None, [])

    return replaced(leaderboard, board=board)


def plain_tarfile() -> contextlib.AbstractContextManager[None]:
    """Archives are unpacked by Python's tarfile, with full trust, and stored by git in a work tree."""

    def extract(data: bytes) -> dict[str, bytes]:
        with tempfile.TemporaryDirectory(prefix="aar-naive-") as home:
            folder = Path(home, "work")
            folder.mkdir()
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                tar.extractall(folder, filter="fully_trusted")
            git = {"GIT_CONFIG_GLOBAL": os.devnull, "PATH": os.environ["PATH"], "HOME": home}
            subprocess.run(["git", "status"], cwd=folder, env=git, capture_output=True, check=False)
            return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    any_name = replaced(codestore, safe_path=lambda name: name, MAX_BYTES=10**9)
    return together(replaced(snapshots, extract=extract), replaced(submissions, extract_method=extract), any_name)
