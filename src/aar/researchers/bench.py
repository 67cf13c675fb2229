"""The workbench of one researcher: every act goes through its journal, is charged to its assignment, and is told.

`Bench` joins the pieces a researcher is given: a client with its own token, hands in its own sandbox, a place in the
queue, the synced findings. It believes none of what comes back from the sandbox and scores nothing itself.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aar.errors import AarError, BudgetSpent, InputError, MethodError
from aar.executors.base import Executor, Job
from aar.lab import room
from aar.lab.archive import extract
from aar.researchers import findings as forum
from aar.researchers.base import (
    Answer,
    Assignment,
    BoardRow,
    Event,
    Finding,
    FindingKind,
    Left,
    Retuned,
    Stopped,
    Trial,
    clean,
)
from aar.researchers.hands import Reply, RunsMethods
from aar.researchers.journal import Journal, Told
from aar.researchers.outputs import PublicTask
from aar.task.client import LabClient

Observe = Callable[[Event], None]

FOLDS = 2
DEADLINE_S = 60.0
POLL_S = 0.5
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")


class Bench:
    """See `base.Workbench`. `home`: the researcher's folder of the study; the sandbox sees parts of it only.
    `observe` hears of every act, also of replayed ones."""

    def __init__(
        self,
        assignment: Assignment,
        home: Path,
        client: LabClient,
        hands: RunsMethods,
        executor: Executor,
        findings_dir: Path,
        problem: str,
        stop: threading.Event,
        observe: Observe | None = None,
    ) -> None:
        self.assignment, self.home, self.client, self.hands = assignment, home, client, hands
        self.executor, self.findings_dir, self.problem, self.stop = executor, findings_dir, problem, stop
        self.observe = observe or (lambda event: None)
        self.name, self.direction, self.study = assignment.name, assignment.direction, assignment.study
        self.journal = Journal(home / "journal.jsonl", f"{assignment.study}/{assignment.name}")
        self._anew = False
        self.spent = {"trial": 0, "evaluation": 0, "submission": 0}
        self._known: dict[int, Finding] = {}
        self._stored: dict[Path, str] = {}  # method folder -> its snapshot
        self._public = PublicTask(hands.task)

    def close(self) -> None:
        self.journal.close()

    @property
    def offers(self) -> frozenset[str]:
        return self._public.offers

    # -- what there is

    def budget(self) -> Left:
        def ask(_: str) -> dict[str, float]:
            paid = sum(int(b["left"]) for b in self.client.budget(self.problem)["evaluations"])
            left = {kind: max(0, self._most(kind) - count) for kind, count in self.spent.items()}
            return {**left, "paid": paid, "seconds": round(self.assignment.wall_s - self.journal.elapsed_s, 1)}

        told = self._do("budget", {}, ask).answer
        evaluations = min(told["evaluation"], told["paid"])
        return Left(told["trial"], evaluations, told["submission"], told["paid"], told["seconds"])

    def findings(self) -> list[Finding]:
        def changed(_: str) -> list[dict[str, Any]]:
            now = forum.read_findings(self.findings_dir)
            return [forum.as_json(f) for f in now if self._known.get(f.id) != f]

        for raw in self._do("findings", {}, changed).answer:
            self._known[raw["id"]] = forum.as_finding(raw)
        return [self._known[i] for i in sorted(self._known)]

    def leaderboard(self) -> list[BoardRow]:
        def ask(_: str) -> list[dict[str, Any]]:
            rows = self.client.leaderboard(self.problem)["rows"]
            return [{k: r[k] for k in ("submission", "researcher", "snapshot", "pgr")} for r in rows if r["submission"]]

        return [BoardRow(**row) for row in self._do("leaderboard", {}, ask).answer]

    # -- trying things on public data

    def write_method(self, name: str, source: str) -> Path:
        """Where the sandbox can read it and only the host can write it. The same again changes nothing."""
        if not NAME.fullmatch(name) or ".." in name:
            raise InputError(f"{clean(name, 60)!r} cannot name a method", hint="1 to 60 of a-z 0-9 . _ -")
        folder = self.hands.methods / name
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "method.py"
        if not path.exists() or path.read_text() != source:
            path.write_text(source)
        return folder

    @property
    def deadline_s(self) -> float:
        """For all seeds of a trial."""
        return self.assignment.grants.trial_s or DEADLINE_S

    def try_method(self, method: Path, held_out: bool = True) -> Trial:
        name, seeds, source = method.name, self._public.seeds, (method / "method.py").read_text()

        def run(key: str) -> dict[str, Any]:
            out = f"out/{key.rsplit('/', 1)[-1]}"
            cross = (seeds[0], FOLDS) if held_out else None
            try:
                reply = self._queued(name, lambda: self.hands.run(name, out, seeds, cross, self.deadline_s))
                return self._public.collect(self.hands.workspace, out, cross) | {"seconds": reply.seconds}
            except MethodError as error:
                room.check(self.home)  # without any, the method is not to blame
                return {"error": clean(f"{error.code}: {error.message}"), "seconds": 0.0}

        told = self._paid("trial", "try", {"name": name, "source": source, "held_out": held_out}, run)
        trial = self._public.trial(name, told.answer)
        self._tell(told, "trial", name, method=name, source=source, seconds=trial.seconds, error=trial.error)
        return trial

    # -- public acts

    def evaluate(self, predictions: Mapping[str, float]) -> Answer:
        vector = {id_: float(p) for id_, p in predictions.items()}
        ask = lambda key: self.client.evaluate(self.problem, vector, self.study, key=key)  # noqa: E731
        told = self._paid("evaluation", "evaluate", vector, ask)
        answer = _answer(told.answer, "answered")
        self._tell(
            told, "evaluation", _in_words(answer), improved=answer.improved, pgr=answer.pgr, duplicate=answer.duplicate
        )
        return answer

    def submit(self, method: Path, claimed: float | None = None) -> int:
        """A folder that was uploaded is submitted as that snapshot, so that what it builds on stays known."""
        name, snapshot = method.name, self._stored.get(method)

        def send(key: str) -> dict[str, Any]:
            if snapshot:
                query = {"problem": self.problem, "name": name, "claimed": claimed, "snapshot": snapshot}
                return self.client.call("POST", "submissions", query=query, key=key)
            return self.client.submit(self.problem, name, method, claimed, key=key)

        source = (method / "method.py").read_text()
        told = self._paid(
            "submission", "submit", {"name": name, "source": source, "snapshot": snapshot, "claimed": claimed}, send
        )
        self._tell(told, "submission", name, submission=told.answer["id"], method=name)
        return int(told.answer["id"])

    def submission(self, id_: int, wait_s: float = 0.0) -> Answer:
        def ask(_: str) -> dict[str, Any]:
            end = time.monotonic() + wait_s
            while (row := self.client.submission(id_))["state"] in ("queued", "running") and time.monotonic() < end:
                self.check_time()
                self.stop.wait(POLL_S)
            return {"state": row["state"], **(row["verdict"] or {})}

        told = self._do("submission", {"id": id_}, ask)
        state = told.answer["state"]
        shown = "pending" if state in ("queued", "running") else "answered" if state == "verified" else "failed"
        answer = _answer(told.answer, shown)
        self._tell(told, "verdict", _in_words(answer), submission=id_, state=answer.state, pgr=answer.pgr)
        return answer

    def share_finding(
        self,
        kind: FindingKind,
        title: str,
        body: str,
        *,
        runs: Sequence[int] = (),
        snapshots: Sequence[str] = (),
        findings: Sequence[int] = (),
    ) -> int:
        refs: dict[str, Any] = {"runs": list(runs), "snapshots": list(snapshots), "findings": list(findings)}
        args = {"kind": kind, "title": title, "body": body, **refs}
        told = self._do(
            "finding", args, lambda key: {"id": self.client.post_finding(kind, title, body, key=key, **refs)["id"]}
        )
        self._tell(told, "finding", clean(title), finding=told.answer["id"], finding_kind=kind)
        return int(told.answer["id"])

    def upload_snapshot(self, folder: Path, parents: Sequence[str] = (), note: str = "") -> str:
        args = {
            "name": folder.name,
            "source": (folder / "method.py").read_text(),
            "parents": list(parents),
            "note": note,
        }
        told = self._do(
            "snapshot",
            args,
            lambda key: {"id": self.client.upload_snapshot(folder, note, list(parents), key=key)["id"]},
        )
        self._stored[folder] = told.answer["id"]
        self._tell(told, "snapshot", clean(note), snapshot=told.answer["id"], parents=list(parents))
        return str(told.answer["id"])

    def download_snapshot(self, id_: str) -> Path:
        if not NAME.fullmatch(id_):
            raise InputError(f"{clean(id_, 60)!r} is no snapshot id")
        folder = self.home / "snapshots" / id_

        def fetch(_: str) -> dict[str, int]:
            files = extract(self.client.download_snapshot(id_))  # names are checked to stay inside
            for name, data in files.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(data)
            return {"files": len(files)}

        told = self._do("download", {"id": id_}, fetch)
        if told.replayed and not folder.exists():
            fetch("")
        return folder

    def log(self, text: str, **data: Any) -> None:
        self.observe(Event(self.journal.step, "log", clean(text), data, self.journal.replaying))

    def step(self, call: str, args: Any, act: Callable[[str], Any]) -> Told:
        """An act of the researcher's own runtime (a model's answer, a command) under the same once-only rule."""
        return self._do(call, args, act)

    def rest(self, seconds: float) -> None:
        self.check_time()
        self.stop.wait(min(seconds, self.assignment.wall_s - self.journal.elapsed_s))
        self.check_time()

    # -- how

    def _do(self, call: str, args: Any, act: Callable[[str], Any]) -> Told:
        if not self.journal.replaying:
            self.check_time()
        return self.journal.call(call, args, act)

    def check_time(self) -> None:
        """`Stopped` where the study was stopped or this researcher's time is over."""
        if self.stop.is_set():
            raise Stopped("the study was stopped")
        if self._anew:
            raise Retuned("it goes on with another model")
        if self.journal.elapsed_s >= self.assignment.wall_s:
            raise Stopped("the wall clock ran out", code="out_of_time")

    def retune(self, assignment: Assignment) -> None:
        """Other budgets, caps or words from the next act on. Another model: this bench ends with `Retuned`."""
        thinks = lambda a: (a.llm.model, a.llm.think)  # noqa: E731
        self._anew |= thinks(assignment) != thinks(self.assignment)
        self.assignment = assignment

    def _most(self, kind: str) -> int:
        return int(getattr(self.assignment, f"{kind}s"))

    def _paid(self, kind: str, call: str, args: Any, act: Callable[[str], Any]) -> Told:
        """Paid before the act, so a call that fails is paid as well. A refusal is in the journal too: a budget that is
        changed later changes nothing that happened."""
        before = self.spent[kind]

        def charged(key: str) -> Any:
            if before >= self._most(kind):
                raise BudgetSpent(f"all {self._most(kind)} {kind}s of the assignment are used", code="assignment_spent")
            self.spent[kind] = before + 1
            return act(key)

        try:
            told = self._do(call, args, charged)
        except AarError as error:
            self.spent[kind] = before + (error.code != "assignment_spent")
            raise
        self.spent[kind] = before + 1
        return told

    def _queued(self, name: str, run: Callable[[], Reply]) -> Reply:
        """Run it when the executor grants a slot."""
        handle = self.executor.submit(Job(owner=self.name, name=name, run=lambda lease: run()))
        while True:
            try:
                reply: Reply = handle.result(POLL_S)
                return reply
            except TimeoutError:
                if handle.future.done():
                    raise
                try:
                    self.check_time()
                except Stopped:
                    handle.cancel()
                    raise

    def _tell(self, told: Told, kind: str, text: str, **data: Any) -> None:
        self.observe(Event(told.step, kind, text, data, told.replayed))


def _answer(told: Mapping[str, Any], state: str) -> Answer:
    pgr = told.get("pgr")
    figure = float(pgr) if isinstance(pgr, int | float) else None
    return Answer(told.get("status") == "improved", figure, bool(told.get("duplicate")), state)


def _in_words(answer: Answer) -> str:
    if answer.state != "answered":
        return answer.state
    return f"improved, PGR {answer.pgr:.2f}" if answer.pgr is not None else "not improved"
