"""Lay out task folders: what a method is run on, in this process or in a sandbox.

A research task holds public rows alone. A rerun's `task.test` holds interactive, OOD and private rows shuffled under
fresh ids, so that one training serves every lane and nothing tells the rows apart.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aar.models import frozen
from aar.scoring.prepare import SCORED
from aar.scoring.problem import Card, Problem
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.task.folder import ModelSpec, RunSpec, TaskSpec, write_rows
from aar.teachers.base import teachers
from aar.testbeds.secret import keyed_id, keyed_rng, lab_secret
from aar.types import Rows

# as mounted in a sandbox
PUBLIC_FEATURES, SEALED_FEATURES, STUDENT = "/features/public", "/features/sealed", "/models/student"


@dataclass(frozen=True)
class Seed:
    """One run: its name in the task folder, the seed the method sees, and which teacher draw labels it."""

    name: str
    seed: int
    teacher: int


def plain_seeds(seeds: Sequence[int], card: Card) -> list[Seed]:
    return [Seed(str(s), s, s % card.seeds) for s in seeds]


def server_seeds(lab: LabFolder, submission: str, count: int, card: Card) -> list[Seed]:
    """Seeds nobody could pick: keyed by the lab secret and the submission's id."""
    drawn = keyed_rng(lab_secret(lab), "rerun-seeds", submission).integers(0, 2**31, size=count)
    first = int(keyed_rng(lab_secret(lab), "rerun-teachers", submission).integers(card.seeds))
    return [Seed(str(i), int(s), (first + i) % card.seeds) for i, s in enumerate(drawn)]


def research_task(
    lab: LabFolder,
    problem: Problem,
    folder: Path,
    seeds: Sequence[Seed],
    *,
    in_sandbox: bool,
    params: dict[str, Any] | None = None,
    deadline_s: float = 600.0,
) -> TaskSpec:
    """Public rows and weak labels only."""
    roots = (PUBLIC_FEATURES,) if in_sandbox else (str(lab.features),)
    sealed = Sealed(lab)
    return _write(
        lab,
        problem,
        folder,
        seeds,
        roots,
        sealed.rows(problem.testbed, "unlabeled"),
        sealed.rows(problem.testbed, "test"),
        params or {},
        deadline_s,
    )


def rerun_task(
    lab: LabFolder, problem: Problem, folder: Path, seeds: Sequence[Seed], submission: str, deadline_s: float = 600.0
) -> dict[str, str]:
    """Everything that will be scored, under fresh ids. Returns fresh id -> real id (stays with the lab)."""
    sealed, secret = Sealed(lab), lab_secret(lab)
    real = _joined([rows for s in SCORED if len(rows := sealed.rows(problem.testbed, s))])
    order = keyed_rng(secret, "rerun-order", submission).permutation(len(real))
    shuffled = real.take(order)
    fresh = {keyed_id(secret, "rerun-id", submission, i): i for i in shuffled.ids}
    test = replace(shuffled, ids=tuple(fresh))
    roots = (PUBLIC_FEATURES, SEALED_FEATURES)
    _write(lab, problem, folder, seeds, roots, sealed.rows(problem.testbed, "unlabeled"), test, {}, deadline_s)
    return fresh


def _joined(parts: Sequence[Rows]) -> Rows:
    return Rows(parts[0].kind, tuple(i for r in parts for i in r.ids), tuple(t for r in parts for t in r.texts))


def _write(
    lab: LabFolder,
    problem: Problem,
    folder: Path,
    seeds: Sequence[Seed],
    roots: tuple[str, ...],
    train: Rows,
    test: Rows,
    params: dict[str, Any],
    deadline_s: float,
) -> TaskSpec:
    card, source = Card.load(lab, problem), lab.problem(problem.name)
    for sub in ("weak", "heads"):
        folder.joinpath(sub).mkdir(parents=True, exist_ok=True)
    write_rows(folder / "train.jsonl", train)
    write_rows(folder / "test.jsonl", test)
    runs = []
    for seed in seeds:
        weak, head = f"weak/{seed.teacher}.json", f"heads/{seed.teacher}.safetensors"
        shutil.copyfile(source / weak, folder / weak)
        has_head = (source / head).exists()
        if has_head:
            shutil.copyfile(source / head, folder / head)
        runs.append(RunSpec(seed.name, seed.seed, weak, head if has_head else None))
    spec = TaskSpec(
        problem.name,
        card.kind,
        _student(problem, card, roots),
        tuple(runs),
        _weak_model(problem, card, roots),
        params,
        deadline_s,
    )
    spec.save(folder)
    return spec


def alone(task: Path, name: str, folder: Path) -> None:
    """The task folder of one run and nothing of the others: a method that saw the weak labels of every seed could pool
    their teachers."""
    spec = TaskSpec.load(task)
    run = next(r for r in spec.runs if r.name == name)
    folder.mkdir(parents=True, mode=0o700)
    for file in ("train.jsonl", "test.jsonl"):
        os.link(task / file, folder / file)
    os.link(task / run.weak, folder / "weak.json")
    if run.head:
        os.link(task / run.head, folder / "head.safetensors")
    only = replace(run, weak="weak.json", head=run.head and "head.safetensors")
    replace(spec, runs=(only,)).save(folder)


def _student(problem: Problem, card: Card, roots: tuple[str, ...]) -> ModelSpec:
    folder = STUDENT if PUBLIC_FEATURES in roots else str(student_folder(problem))
    return ModelSpec(problem.lm, card.student_id, card.layer, card.pooling, roots, folder, problem.how)


def student_folder(problem: Problem) -> Path:
    """The weights of the student: shown to sandboxes too, since the model is public."""
    return frozen.load(problem.lm).folder


def _weak_model(problem: Problem, card: Card, roots: tuple[str, ...]) -> ModelSpec | None:
    reads = teachers.get(problem.teacher).reads
    return ModelSpec(reads[0], str(card.teacher_id), reads[1], reads[2], roots) if reads else None
