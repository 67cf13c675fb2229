"""The verified lane: run a snapshot's code again, a clean sandbox for each seed, on seeds that the server chose.

What comes out of the sandbox is one predictions file per seed, read as a stranger's: regular, bounded, JSON, every id
once, finite, in [0, 1]. Whose fault a failure is: the method's where it broke a rule or a limit, the provider's where
the sandbox could not start, the lab's for anything else. Error texts of a method stay with the owner, because a method
sees private rows here and could say them aloud.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np

from aar.errors import LabError, MethodError
from aar.sandboxes import results
from aar.sandboxes.base import PYTHON, WORKSPACE, Limits, Mount, Outcome, Sandbox
from aar.scoring.layout import (
    PUBLIC_FEATURES,
    SEALED_FEATURES,
    STUDENT,
    Seed,
    alone,
    rerun_task,
    server_seeds,
    student_folder,
)
from aar.scoring.problem import Card, Problem
from aar.scoring.result import Result, Scorer
from aar.settings import LabFolder
from aar.testbeds.rows import Split
from aar.types import Predictions

MAX_PREDICTIONS = 16 << 20  # bytes of one seed's file

STOPPED = {
    "wall": ("timed_out", "the run did not return within {wall_s:.0f} s"),
    "cpu": ("cpu_limit", "the run used more than {cpu_s} s of CPU"),
    "memory": ("out_of_memory", "the run asked for more than {memory_mb} MB of memory"),
    "pids": ("too_many_processes", "the run started more than {pids} processes"),
    "disk": ("disk_full", "the run wrote more than {disk_mb} MB"),
    "output": ("output_flood", "the run printed more than its output limit of {output_mb:g} MB allows"),
    "cancelled": ("cancelled", "the run was cancelled by the owner"),
}
PUBLIC_MESSAGES = {
    "opened_socket": "the method opened a network socket; a run has no network",
    "read_outside": "the method tried to open a file outside what a run is given",
    "not_finite": "some predictions are NaN or infinite",
    "out_of_range": "some predictions are outside [0, 1]",
    "missing_ids": "some ids of task.test have no prediction",
    "unknown_ids": "some predicted ids are not in task.test",
    "duplicate_ids": "some ids are predicted twice",
    "length_mismatch": "ids and probabilities differ in number",
    "bad_return": "run() did not return Predictions",
    "no_method": "method.py defines no run(task)",
    "unsupported": "the method needs what this student cannot do",
    "unknown_parameter": "unknown parameter",
    "no_predictions": "the run ended without writing predictions",
    "bad_result": "the predictions file is not valid",
    "method_raised": "the method raised an exception; try it on the public rows (aar method run)",
}


LIMITS = Limits(wall_s=600, memory_mb=3072, pids=64, disk_mb=256, output_mb=4)


@dataclass(frozen=True)
class RerunRules:
    """How many seeds and how much each submission may use, all seeds together. `battery`: which verdicts a worker has
    looked over by the integrity checks; that takes ten more reruns, so none unless asked for. "promoted": those above
    the best human baseline. `screen`: a rerun goes on after its first seed only where it could be among the best so
    many of its study (`lab.screening`); 0: always."""

    seeds: int = 5
    limits: Limits = LIMITS
    battery: Literal["off", "promoted", "all"] = "off"
    screen: int = 0


@dataclass(frozen=True)
class Verdict:
    """What a rerun gave: exact figures for the owner, and where the sealed predictions lie for the final lane.
    `screened`: it ended after its first seed."""

    test: Result
    ood: Result | None
    seeds: tuple[int, ...]
    seconds: float
    peak_memory_mb: float
    screened: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "test": self.test.as_json(),
            "ood": self.ood and self.ood.as_json(),
            "seeds": list(self.seeds),
            "seconds": round(self.seconds, 2),
            "peak_memory_mb": round(self.peak_memory_mb, 1),
            "screened": self.screened,
        }


def public_failure(error: MethodError, limits: Limits) -> tuple[str, str]:
    """(code, message) that a researcher may see: from our own list, never the method's words."""
    for code, message in STOPPED.values():
        if error.code == code:
            return code, message.format(**limits.__dict__)
    code = error.code if error.code in PUBLIC_MESSAGES else "method_raised"
    return code, PUBLIC_MESSAGES[code]


def sealed_predictions(lab: LabFolder, submission: str) -> Path:
    return lab.sealed / "predictions" / f"{submission}.npz"


@dataclass(frozen=True)
class Alteration:
    """A change of what a snapshot sees, for the integrity checks. `change` gets the task folder, where the changed
    features may go, and the truth about ids (fresh -> real); it answers what is replaced: the student, weights and both
    feature stores ("all"), both stores ("features"), only the sealed one ("sealed") or nothing (None). `salt` gives the rows other fresh ids and another order."""

    change: Callable[[Path, Path, Mapping[str, str]], str | None] = lambda task, features, ids: None
    salt: str = ""


@dataclass(frozen=True)
class Answer:
    """What one seed gave: predictions under real ids; MB at the peak; the names of files it left in its workspace."""

    predictions: Predictions
    peak_memory_mb: float
    left: frozenset[str] = frozenset()


GoOn = Callable[[Answer], bool]


def rerun(
    lab: LabFolder,
    sandbox: Sandbox,
    problem: Problem,
    submission: str,
    files: Mapping[str, bytes],
    rules: RerunRules = RerunRules(),
    go_on: GoOn | None = None,
) -> Verdict:
    """Raises MethodError (the method's fault), ProviderDown (no sandbox) or LabError. Leaves no workspace behind.
    `go_on` is asked once, after the first of several seeds."""
    start = time.monotonic()
    told = answers(lab, sandbox, problem, submission, files, rules, go_on=go_on)
    seeds = server_seeds(lab, submission, rules.seeds, Card.load(lab, problem))[: len(told)]
    by_seed = [a.predictions for a in told]
    _seal(lab, submission, by_seed)
    splits: tuple[Split, ...] = ("test", "ood")
    scored = {s: _score(lab, problem, s, submission, seeds, by_seed) for s in splits}
    assert scored["test"] is not None
    return Verdict(
        scored["test"],
        scored["ood"],
        tuple(s.seed for s in seeds),
        time.monotonic() - start,
        max(a.peak_memory_mb for a in told),
        screened=len(told) < rules.seeds,
    )


def answers(
    lab: LabFolder,
    sandbox: Sandbox,
    problem: Problem,
    submission: str,
    files: Mapping[str, bytes],
    rules: RerunRules = RerunRules(),
    alter: Alteration | None = None,
    name: str = "",
    go_on: GoOn | None = None,
) -> list[Answer]:
    """What the snapshot answers seed by seed, on the task of its verdict or on an altered one (`name` tells its log and
    folder from the verdict's). Nothing is scored or sealed. Raises what `rerun` raises; the first seed to fail ends it,
    and so does a first answer that `go_on` finds not worth the others."""
    run = f"{submission}-{name}" if name else submission
    home = lab.runs / f"rerun-{run}"
    shutil.rmtree(home, ignore_errors=True)
    try:
        seeds = server_seeds(lab, submission, rules.seeds, Card.load(lab, problem))
        task, features = home / "task", home / "features"
        for folder in (task, features):
            folder.mkdir(parents=True, mode=0o700)
        _write_method(home / "method", files)
        salt = submission + (alter.salt if alter else "")
        real_ids = rerun_task(lab, problem, task, seeds, salt, deadline_s=rules.limits.wall_s)
        replaced = alter.change(task, features, real_ids) if alter else None
        with _log(lab, run) as log:
            one = _OneSeed(lab, sandbox, problem, home, replaced, real_ids, rules.limits, log)
            first = one(seeds[0])
            return [first] if go_on and seeds[1:] and not go_on(first) else [first, *map(one, seeds[1:])]
    finally:
        shutil.rmtree(home, ignore_errors=True)


class _OneSeed:
    """Runs one seed in a sandbox of its own, so that no seed can leave the next a note, such as its teacher's labels.
    The time limit is for all together."""

    def __init__(
        self,
        lab: LabFolder,
        sandbox: Sandbox,
        problem: Problem,
        home: Path,
        replaced: str | None,
        real_ids: Mapping[str, str],
        limits: Limits,
        log: BinaryIO,
    ) -> None:
        self.lab, self.sandbox, self.problem, self.home, self.replaced = lab, sandbox, problem, home, replaced
        self.real_ids, self.limits, self.log = real_ids, limits, log
        self.until = time.monotonic() + limits.wall_s

    def __call__(self, seed: Seed) -> Answer:
        task, workspace = self.home / f"task-{seed.name}", self.home / f"workspace-{seed.name}"
        alone(self.home / "task", seed.name, task)
        workspace.mkdir(mode=0o700)
        shown = mounts(self.lab, self.problem, task, self.home / "method", workspace)
        limits = replace(self.limits, wall_s=max(self.until - time.monotonic(), 1.0))
        outcome = self.sandbox.run(
            command(), _with_features(shown, self.home / "features", self.replaced), limits=limits
        )
        self.log.write(b"\n--- stderr\n".join((outcome.stdout[-200_000:], outcome.stderr[-200_000:])))
        predictions = _collect(workspace, seed, self.real_ids, outcome, self.limits)
        return Answer(predictions, outcome.peak_memory_mb, frozenset(p.name for p in workspace.iterdir()) - {"out"})


def _with_features(shown: list[Mount], folder: Path, replaced: str | None) -> list[Mount]:
    """The mounts of a run whose features were changed: only their sources differ from those of a verdict."""
    (folder / "none").mkdir(exist_ok=True)
    none = folder / "none"
    new: dict[str, Path] = {
        "sealed": {SEALED_FEATURES: folder},
        "features": {PUBLIC_FEATURES: folder, SEALED_FEATURES: none},
        "all": {PUBLIC_FEATURES: folder, SEALED_FEATURES: none, STUDENT: none},
    }.get(replaced or "", {})
    return [replace(m, source=new.get(m.target, m.source)) for m in shown]


def command() -> list[str]:
    return [PYTHON, "-I", "-m", "aar.task.runner", "/task", "/method", f"{WORKSPACE}/out"]


def mounts(lab: LabFolder, problem: Problem, task: Path, method: Path, workspace: Path) -> list[Mount]:
    """What a rerun sees: its task, the method, the student, both feature stores, and one writable folder."""
    lab.features.mkdir(parents=True, exist_ok=True)
    lab.sealed_features.mkdir(parents=True, exist_ok=True)
    return [
        Mount(task, "/task"),
        Mount(method, "/method"),
        Mount(workspace, WORKSPACE, writable=True),
        Mount(lab.features, PUBLIC_FEATURES),
        Mount(lab.sealed_features, SEALED_FEATURES),
        Mount(student_folder(problem), STUDENT),
    ]


def _write_method(folder: Path, files: Mapping[str, bytes]) -> None:
    """Paths come from the code store, whose extractor refused links, `..` and absolute names; checked again here."""
    for name, data in files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise LabError(f"a snapshot holds the path {name!r}", code="bad_snapshot")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _collect(workspace: Path, seed: Seed, real_ids: Mapping[str, str], outcome: Outcome, limits: Limits) -> Predictions:
    """`Predictions` under real ids, or a MethodError that says which rule was broken."""
    if outcome.stopped_by:
        code, message = STOPPED[outcome.stopped_by]
        raise MethodError(message.format(**limits.__dict__), code=code)
    if (workspace / "out" / f"{seed.name}.error.json").exists():
        _raise_reported(workspace, seed)
    return Predictions(tuple(real_ids.values()), _read(workspace, seed).aligned(tuple(real_ids)))


def _read(workspace: Path, seed: Seed) -> Predictions:
    try:
        raw = results.read_json(workspace, f"out/{seed.name}.json", MAX_PREDICTIONS)
    except MethodError as error:
        raise MethodError(
            error.message, code="no_predictions" if error.code == "missing_file" else "bad_result"
        ) from error
    try:
        ids, p = raw["ids"], raw["p"]
        if not all(isinstance(i, str) for i in ids) or not all(type(x) in (int, float) for x in p):
            raise TypeError("ids must be strings and p numbers")
        return Predictions(tuple(ids), np.array(p, dtype=np.float64))
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        raise MethodError(f"the predictions file is malformed: {error}", code="bad_result") from error


def _raise_reported(workspace: Path, seed: Seed) -> None:
    """The runner's own account of a failure: untrusted, so only for the owner's eyes."""
    told = results.read_json(workspace, f"out/{seed.name}.error.json", 1 << 20)
    told = told if isinstance(told, dict) else {}
    raise MethodError(
        f"{told.get('message', '')}"[:2000],
        code=str(told.get("code", "method_raised"))[:60],
        hint=f"{told.get('trace', '')}"[:8000],
    )


def _log(lab: LabFolder, run: str) -> BinaryIO:
    folder = lab.sealed / "logs"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder.joinpath(f"rerun-{run}.log").open("wb")


def _seal(lab: LabFolder, submission: str, answers: list[Predictions]) -> None:
    path = sealed_predictions(lab, submission)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("wb") as out:
        np.savez_compressed(out, ids=np.array(answers[0].ids), p=np.stack([a.p for a in answers]))


def unsealed(lab: LabFolder, submission: str) -> list[Predictions]:
    """What each seed of a verdict predicted, private rows included."""
    with np.load(sealed_predictions(lab, submission), allow_pickle=False) as sealed:
        ids = tuple(sealed["ids"].tolist())
        return [Predictions(ids, p) for p in sealed["p"]]


def _score(
    lab: LabFolder, problem: Problem, split: Split, submission: str, seeds: list[Seed], answers: list[Predictions]
) -> Result | None:
    if not Card.load(lab, problem).rows.get(split):
        return None
    scorer = Scorer(lab, problem, split)
    return scorer.result(submission, [s.seed for s in seeds], [restricted(a, scorer.ids) for a in answers])


def restricted(answer: Predictions, ids: tuple[str, ...]) -> Predictions:
    where = {id_: i for i, id_ in enumerate(answer.ids)}
    return Predictions(ids, answer.p[[where[i] for i in ids]])
