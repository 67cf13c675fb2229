"""For tests and for trying an arm without a lab, a sandbox or a model: all pieces of a bench, small and honest in form.

`FakeLab` answers as the lab does: once per idempotency key, by a Ladder of sorts, with a fixed number of paid vectors. The
truth of a row is "its id's hash is even", and `FakeHands` is right the more often the nearer a recipe is to one that the
lab's seed chose: no model is trained, and nothing is learnt about real methods.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np

from aar.errors import BudgetSpent, Conflict, InputError, NotFound
from aar.executors.base import Handle, Job, Lease
from aar.lab.archive import extract
from aar.researchers import space
from aar.researchers.hands import Reply
from aar.researchers.jobs import Jobs
from aar.sandboxes import WORKSPACE, Mount, Sandbox, available
from aar.task.folder import ModelSpec, RunSpec, TaskSpec, read_rows, write_rows
from aar.task.pack import pack, pack_files
from aar.task.warm import fold_of
from aar.types import Pair, Rows

FLOOR, CEILING = 0.6, 0.9
PROBLEM = "toy@fake/fake"


def truth(id_: str) -> bool:
    return hashlib.sha256(id_.encode()).digest()[0] % 2 == 0


def write_task(folder: Path, seeds: int = 3, train: int = 60, test: int = 80) -> Path:
    """A task folder of this fake world: pairs without meaning, weak labels that are right of about 2 in 3 rows."""
    (folder / "weak").mkdir(parents=True, exist_ok=True)
    for part, n in (("train", train), ("test", test)):
        ids = tuple(f"{part}{i}" for i in range(n))
        write_rows(folder / f"{part}.jsonl", Rows("pair", ids, tuple(Pair(f"question {i}", "a", "b") for i in ids)))
    rng, runs = np.random.default_rng(0), []
    for seed in range(seeds):
        weak = {f"train{i}": float(abs((not truth(f"train{i}")) - rng.beta(2, 1.2))) for i in range(train)}
        (folder / "weak" / f"{seed}.json").write_text(json.dumps(weak))
        runs.append(RunSpec(str(seed), seed, f"weak/{seed}.json"))
    TaskSpec(PROBLEM, "pair", ModelSpec("fake", "fake", 1), tuple(runs)).save(folder)
    return folder


def worth(source: str) -> float:
    """A made-up accuracy in [.5, .9] of a method's text."""
    try:
        recipe = space.read(source)
    except Exception:  # any text may be asked about
        return FLOOR
    good = (
        0.5 * (1 - abs(recipe["layer"] - 13) / 7)
        + 0.25 * (recipe["select"] == "confident")
        + 0.25 * (recipe["loss"] == "logconf")
    )
    return 0.55 + 0.35 * good


class FakeHands:
    """Writes predictions of the made-up accuracy where the sandbox would. `broken`: methods whose runs fail."""

    def __init__(self, home: Path, task: Path, broken: Sequence[str] = ()) -> None:
        self.task, self.methods, self.workspace, self.broken = task, home / "methods", home / "workspace", tuple(broken)
        findings = home.parent / "findings"
        for folder in (self.methods, self.workspace, findings):
            folder.mkdir(parents=True, exist_ok=True)
        shown = {"/task": task, "/methods": self.methods, "/findings": findings}
        self.mounts = (
            *(Mount(path, at) for at, path in shown.items()),
            Mount(self.workspace, WORKSPACE, writable=True),
        )
        self.runs, self.jobs = 0, Jobs()

    @property
    def sandbox(self) -> Sandbox:
        return available()

    def run(
        self,
        method: str,
        out: str,
        runs: Sequence[str] | None = None,
        held_out: tuple[str, int] | None = None,
        deadline_s: float = 60.0,
    ) -> Reply:
        self.runs += 1
        source, target = (self.methods / method / "method.py").read_text(), self.workspace / out
        target.mkdir(parents=True, exist_ok=True)
        if method in self.broken:
            (target / f"{(runs or ['0'])[0]}.error.json").write_text(
                json.dumps({"code": "method_raised", "message": "no\x1b[2J"})
            )
            return Reply(1, 0.0)
        for name in runs or ["0"]:
            self._write(target / f"{name}.json", read_rows(self.task / "test.jsonl", "pair").ids, source, name)
        if held_out:
            train = read_rows(self.task / "train.jsonl", "pair")
            for k in range(held_out[1]):
                ids = train.take(fold_of(train, held_out[1]) == k).ids
                self._write(target / f"{held_out[0]}.fold{k}.json", ids, source, f"fold{k}")
        return Reply(0, 0.01)

    def _write(self, path: Path, ids: Sequence[str], source: str, seed: str) -> None:
        rng = np.random.default_rng(list(hashlib.sha256(f"{source}{seed}".encode()).digest()[:8]))
        right = rng.random(len(ids)) < worth(source)
        p = [0.5 + 0.4 * (1 if truth(i) == bool(r) else -1) for i, r in zip(ids, right, strict=True)]
        path.write_text(json.dumps({"ids": list(ids), "p": p}))

    def close(self) -> None:
        self.jobs.close()


class FakeExecutor:
    """Runs a job at once, in the caller's thread."""

    def __init__(self) -> None:
        self._handles: list[Handle] = []

    def submit(self, job: Job) -> Handle:
        handle = Handle(len(self._handles), job, future=Future())
        self._handles.append(handle)
        try:
            handle.future.set_result(job.run(Lease(handle)))
        except BaseException as error:  # as an executor's thread would: the handle carries it to whoever asks
            handle.future.set_exception(error)
        return handle

    def handles(self) -> list[Handle]:
        return self._handles

    def close(self) -> None:
        """Nothing to end."""


class FakeLab:
    """What all clients share. `limit`: paid vectors for everybody together. `paid`: who asked, in order."""

    def __init__(self, task: Path, limit: int = 100) -> None:
        self.ids, self.limit = read_rows(task / "test.jsonl", "pair").ids, limit
        self.paid: list[str] = []
        self.best: dict[str, float] = {}
        self.answers: dict[tuple[str, str], tuple[str, Any]] = {}
        self.posts: list[dict[str, Any]] = []
        self.code: dict[str, dict[str, bytes]] = {}
        self.parents: dict[str, list[str]] = {}
        self.queue: list[dict[str, Any]] = []

    def client(self, researcher: str) -> FakeClient:
        return FakeClient(self, researcher)

    def once(self, who: str, key: str | None, body: Any, act: Any) -> Any:
        """The answer given under this key, or a new one."""
        text = repr(body)
        if key and (who, key) in self.answers:
            known, answer = self.answers[who, key]
            if known != text:
                raise Conflict("this key was used with another body", code="key_reused")
            return answer
        answer = act()
        if key:
            self.answers[who, key] = text, answer
        return answer

    def ladder(self, who: str, accuracy: float) -> dict[str, Any]:
        if len(self.paid) >= self.limit:
            raise BudgetSpent("nothing is left")
        self.paid.append(who)
        improved = accuracy > self.best.get(who, FLOOR) + 0.02
        if improved:
            self.best[who] = accuracy
        pgr = round((accuracy - FLOOR) / (CEILING - FLOOR), 3) if improved else None
        return {
            "status": "improved" if improved else "not_improved",
            "pgr": pgr,
            "duplicate": False,
            "budget_left": self.limit - len(self.paid),
        }


class FakeClient:
    """One researcher's, in the form of `aar.task.client.LabClient`."""

    def __init__(self, lab: FakeLab, name: str) -> None:
        self.lab, self.name = lab, name

    def evaluate(
        self, problem: str, predictions: Mapping[str, float], study: str | None = None, key: str | None = None
    ) -> dict[str, Any]:
        if set(predictions) != set(self.lab.ids):
            raise InputError("every id of the test file exactly once", code="wrong_ids")
        accuracy = float(np.mean([(predictions[i] > 0.5) == truth(i) for i in self.lab.ids]))
        return self.lab.once(self.name, key, dict(predictions), lambda: self.lab.ladder(self.name, accuracy))

    def submit(
        self, problem: str, name: str, method: str | Path | bytes, claimed: float | None = None, key: str | None = None
    ) -> dict[str, Any]:
        files = extract(method if isinstance(method, bytes) else pack(method))
        return self.lab.once(self.name, key, files, lambda: self._queue(name, self._store(files, [])))

    def call(
        self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None, key: str | None = None
    ) -> Any:
        """Only what a bench asks this way: submitting a stored snapshot."""
        assert (method, path) == ("POST", "submissions"), (method, path)
        assert query
        return self.lab.once(self.name, key, dict(query), lambda: self._queue(query["name"], query["snapshot"]))

    def submission(self, id_: int) -> dict[str, Any]:
        """Rerun at the first look."""
        if not 0 < id_ <= len(self.lab.queue):
            raise NotFound(f"no submission {id_}")
        row = self.lab.queue[id_ - 1]
        if row["state"] == "queued":
            row |= {"state": "verified", "verdict": self._verdict(row["snapshot"])}
        return row

    def _verdict(self, snapshot: str) -> dict[str, Any]:
        try:
            return self.lab.ladder(self.name, worth(self.lab.code[snapshot]["method.py"].decode()))
        except BudgetSpent:
            return {"status": "not_told", "pgr": None}

    def leaderboard(self, problem: str) -> dict[str, Any]:
        rows = [
            {**r, "submission": r["id"], "pgr": r["verdict"]["pgr"]} for r in self.lab.queue if r["state"] == "verified"
        ]
        return {"rows": sorted(rows, key=lambda r: -(r["pgr"] or -1))}

    def budget(self, problem: str | None = None) -> dict[str, Any]:
        return {"evaluations": [{"problem": PROBLEM, "left": self.lab.limit - len(self.lab.paid)}], "spent": []}

    def findings(self, **query: Any) -> list[dict[str, Any]]:
        start = int(query.get("offset", 0))
        return self.lab.posts[start : start + int(query.get("limit", 50))]

    def post_finding(self, kind: str, title: str, body: str, key: str | None = None, **refs: Any) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            row = {
                "id": len(self.lab.posts) + 1,
                "kind": kind,
                "title": title,
                "body": body,
                "researcher": self.name,
                "standing": "verified" if refs.get("runs") else "unverified",
                "runs": list(refs.get("runs", [])),
                "builds_on": [f"snapshot:{s}" for s in refs.get("snapshots", [])],
            }
            self.lab.posts.append(row)
            return row

        return self.lab.once(self.name, key, (kind, title, body, refs), act)

    def upload_snapshot(
        self, folder: str | Path | bytes, note: str = "", parents: list[str] | None = None, key: str | None = None
    ) -> dict[str, Any]:
        files = extract(folder if isinstance(folder, bytes) else pack(folder))
        return self.lab.once(self.name, key, (files, note, parents), lambda: {"id": self._store(files, parents or [])})

    def download_snapshot(self, id_: str) -> bytes:
        if id_ not in self.lab.code:
            raise NotFound(f"no snapshot {id_}")
        return pack_files(self.lab.code[id_])

    def _store(self, files: dict[str, bytes], parents: list[str]) -> str:
        id_ = hashlib.sha256(repr((sorted(files.items()), parents, self.name)).encode()).hexdigest()[:40]
        self.lab.code[id_], self.lab.parents[id_] = files, parents
        return id_

    def _queue(self, name: str, snapshot: str) -> dict[str, Any]:
        row = {
            "id": len(self.lab.queue) + 1,
            "method": name,
            "researcher": self.name,
            "snapshot": snapshot,
            "state": "queued",
            "verdict": None,
        }
        self.lab.queue.append(row)
        return {"id": row["id"], "snapshot": snapshot, "state": "queued"}
