"""A campaign of kill -9 against a running study, and what must be true of the lab afterwards.

The study runs in a process of its own; server, worker, hands and the runner are killed at random, and `aar study resume`
is typed again whenever the runner is gone. Journals say what was acknowledged; the database says what is there.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil
import sqlalchemy as sa

from aar.lab.store import Store
from aar.lab.tables import Charge, Evaluation, Finding, IdempotencyKey, Snapshot, Submission
from aar.settings import LabFolder
from aar.studies.spec import StudyFolder

Act = tuple[str, str, dict[str, Any]]
CHAIN = ("runner", "server", "worker", "hands")  # each is started by the one before
PATIENCE = 5  # pauses
ACTS = {"evaluate": "evaluations", "submit": "submissions", "finding": "findings", "snapshot": "snapshots"}


@dataclass
class Campaign:
    """`study` must be created. `pause_s`: from one kill to the next."""

    lab: LabFolder
    study: str
    pause_s: float
    rng: random.Random
    killed: Counter[str] = field(default_factory=Counter)
    waited: int = 0

    def resume(self) -> subprocess.Popen[bytes]:
        with (self.lab.root / "campaign.log").open("ab") as sink:
            return subprocess.Popen(
                [sys.executable, "-m", "aar.cli", "study", "resume", self.study, "--lab", str(self.lab.root), "--json"],
                stdout=sink, stderr=sink, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def run(self, kills_s: float, most_s: float) -> None:
        """Kill for `kills_s` seconds from the first sandbox on, then let the study end."""
        start, began, runner = time.monotonic(), None, self.resume()
        while (code := runner.poll()) != 0:
            assert time.monotonic() - start < most_s, "the study did not end"
            if code is not None:
                assert code in (1, -signal.SIGKILL), code
                runner = self.resume()
            kinds = _processes(self.lab)
            if "hands" in kinds:
                began = began or time.monotonic()
                if time.monotonic() - began < kills_s:
                    self.kill_one(kinds)
            time.sleep(self.rng.uniform(0.5, 1.5) * self.pause_s)

    def kill_one(self, kinds: dict[str, list[int]]) -> None:
        """Of the kind that was killed least so far; one that is not up yet is waited for a while, else a slow machine's workers
        would never live to be killed."""
        kind = min(sorted({*CHAIN, *kinds}), key=lambda k: (self.killed[k], self.rng.random()))
        if kind not in kinds:
            self.waited += 1
            if self.waited < PATIENCE:
                return
            kind = min(sorted(kinds), key=lambda k: (self.killed[k], self.rng.random()))
        self.waited = 0
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.rng.choice(kinds[kind]), signal.SIGKILL)
            self.killed[kind] += 1


def _processes(lab: LabFolder) -> dict[str, list[int]]:
    """Everything of this lab, also a server whose runner was killed, and its workers."""
    found: dict[str, set[int]] = {}
    for top in psutil.process_iter(["cmdline"]):
        if str(lab.root) not in " ".join(top.info["cmdline"] or []):
            continue
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            for process in [top, *top.children(recursive=True)]:
                found.setdefault(_kind(" ".join(process.cmdline())), set()).add(process.pid)
    return {kind: sorted(pids) for kind, pids in found.items()}


def _kind(command: str) -> str:
    words = {
        "study resume": "runner", "aar.cli serve": "server", "aar.lab.worker": "worker", "llm.agent": "agent", "/opt/claude": "claude",
    }  # fmt: skip
    return next((kind for part, kind in words.items() if part in command), "hands")


def alive(lab: LabFolder) -> list[str]:
    """Command lines of processes that still belong to this lab."""
    return [
        line for p in psutil.process_iter(["cmdline"]) if str(lab.root) in (line := " ".join(p.info["cmdline"] or []))
    ]


# -- what must be true


def acknowledged(lab: LabFolder, study: str) -> list[Act]:
    """(researcher, call, its key and answer) of every act that a journal holds an answer to."""
    folder, found = StudyFolder(lab, study), []
    for member in folder.load().researchers:
        path, sent = folder.home(member.name) / "journal.jsonl", dict[int, str]()
        for line in map(json.loads, path.read_text().splitlines() if path.exists() else []):
            if "call" in line:
                sent[line["step"]] = line["call"]
            elif "answer" in line and sent[line["step"]] in ACTS:
                told = {"key": f"{study}/{member.name}/{line['step']}", "answer": line["answer"]}
                found.append((member.name, sent[line["step"]], told))
    return found


def check_exactly_once(lab: LabFolder, study: str, outside: Sequence[Act] = ()) -> Counter[str]:
    """Every acknowledged act is in the store, under its key and id, once; and the store holds nothing besides. `outside`: acts of
    somebody without a journal here."""
    acts, store = [*acknowledged(lab, study), *outside], Store(lab.database)
    with store.reading() as session:
        keys = {
            (k.owner, k.route.rsplit("/", 1)[-1], k.key): k.answer["body"]
            for k in session.scalars(sa.select(IdempotencyKey))
        }
        for who, call, told in acts:
            kept = keys[f"researcher:{who}", ACTS[call], told["key"]]
            assert {k: kept[k] for k in told["answer"]} == told["answer"], (call, told, kept)
        done = Counter(call for _, call, _ in acts)

        def count(table: Any, *where: Any) -> int:
            return session.scalar(sa.select(sa.func.count()).select_from(table).where(*where)) or 0

        assert count(Finding, Finding.study == study) == done["finding"]
        assert count(Submission, Submission.study == study) == done["submit"]
        assert count(Snapshot, Snapshot.study == study) == done["snapshot"]
        interactive = count(Evaluation, Evaluation.team == study, Evaluation.lane == "interactive")
        assert interactive == done["evaluate"]
        verified = count(Submission, Submission.study == study, Submission.state == "verified")
        told_verdicts = count(Evaluation, Evaluation.team == study, Evaluation.lane == "verified")
        assert told_verdicts <= verified
        charges = [
            c.ref for c in session.scalars(sa.select(Charge).where(Charge.study == study, Charge.kind == "rerun"))
        ]
        assert sorted(charges) == sorted(
            {
                f"rerun:{i}"
                for i in session.scalars(
                    sa.select(Submission.id).where(Submission.study == study, Submission.state == "verified")
                )
            }
        )
        assert not count(Submission, Submission.study == study, Submission.state.in_(("queued", "running")))
    store.close()
    return done
