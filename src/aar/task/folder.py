"""A task on disk: what a trusted worker lays out and a sandbox opens.

    task.json       {name, kind, student, weak_model, params, deadline_s, runs: [{name, seed, weak, head}]}
    train.jsonl     {"id", "prompt", "first", "second"} or {"id", "question", "choice"}
    test.jsonl      the same; no label anywhere
    weak/*.json     {row id: P(label = 1)} of one teacher seed
    heads/*.safetensors   the teacher's head of that seed, where the teacher is a head on frozen features

Everything is joined by id. This module knows paths and formats; it has never seen a gold label.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aar.errors import LabError
from aar.types import Claim, Kind, Model, Pair, Rows, Task

if TYPE_CHECKING:
    from aar.models.student import HeadStudent


@dataclass(frozen=True)
class ModelSpec:
    """How to open a frozen model: cached features (content addressed) and, if visible, the weights' folder."""

    name: str
    id: str
    layer: int
    pooling: str = "mean"
    features: tuple[str, ...] = ()
    folder: str | None = None
    how: str = "head"  # or finetuned: "lora", "full"


@dataclass(frozen=True)
class RunSpec:
    """One seed of a task. `weak` and `head` are file names below the task folder."""

    name: str
    seed: int
    weak: str
    head: str | None = None


@dataclass(frozen=True)
class TaskSpec:
    name: str
    kind: Kind
    student: ModelSpec
    runs: tuple[RunSpec, ...]
    weak_model: ModelSpec | None = None
    params: dict[str, Any] = field(default_factory=dict)
    deadline_s: float = 600.0

    def save(self, folder: Path) -> None:
        folder.joinpath("task.json").write_text(json.dumps(asdict(self), indent=1))

    @classmethod
    def load(cls, folder: Path) -> TaskSpec:
        raw = json.loads(folder.joinpath("task.json").read_text())
        raw["student"] = _model_spec(raw["student"])
        raw["weak_model"] = raw["weak_model"] and _model_spec(raw["weak_model"])
        raw["runs"] = tuple(RunSpec(**run) for run in raw["runs"])
        return cls(**raw)


def _model_spec(raw: dict[str, Any]) -> ModelSpec:
    return ModelSpec(**{**raw, "features": tuple(raw["features"])})


def write_rows(path: Path, rows: Rows) -> None:
    with path.open("w") as out:
        for id_, text in zip(rows.ids, rows.texts, strict=True):
            out.write(json.dumps({"id": id_, **text._asdict()}, ensure_ascii=False) + "\n")


def read_rows(path: Path, kind: Kind) -> Rows:
    """Public rows of one file. The lab wrote it, so a fault in it is the lab's."""
    form = Pair if kind == "pair" else Claim
    with path.open() as lines:
        raw = [json.loads(line) for line in lines]
    try:
        texts = tuple(form(*(row[f] for f in form._fields)) for row in raw)
        return Rows(kind, tuple(row["id"] for row in raw), texts)
    except KeyError as missing:
        raise LabError(f"{path}: a row lacks the field {missing}", hint="rebuild the testbed") from missing


def read_weak(path: Path, ids: Iterable[str]) -> np.ndarray:
    """[n] float32, joined by id."""
    weak = json.loads(path.read_text())
    return np.array([weak[i] for i in ids], dtype=np.float32)


def open_model(spec: ModelSpec, kind: Kind, root: Path = Path()) -> HeadStudent:
    """A head student over cached features and prompt scores, both only read; heavy imports happen here."""
    from aar.models.features import FeatureStore
    from aar.models.scores import ScoreStore
    from aar.models.student import HeadStudent

    roots = [root / f for f in spec.features]
    folder = Path(spec.folder) if spec.folder else None
    scores = ScoreStore(roots, spec.id)
    return HeadStudent(FeatureStore(roots, spec.id), spec.name, kind, spec.layer, spec.pooling, folder, scores=scores)


def open_student(spec: ModelSpec, kind: Kind, root: Path = Path()) -> Model:
    """The student of a task: heads on the frozen model, or the model finetuned."""
    frozen = open_model(spec, kind, root)
    if spec.how == "head":
        return frozen
    from aar.models.tuned.rules import Tuning
    from aar.models.tuned.student import TunedStudent

    return TunedStudent(frozen, Tuning("lora" if spec.how == "lora" else "full"))


def open_task(
    folder: Path,
    run: RunSpec | str | None = None,
    *,
    params: dict[str, Any] | None = None,
    log: Callable[..., None] | None = None,
) -> Task:
    """The `Task` of one run (by default the first) of a task folder."""
    spec = TaskSpec.load(folder)
    if not isinstance(run, RunSpec):
        run = next((r for r in spec.runs if run in (None, r.name)), spec.runs[0])
    train = read_rows(folder / "train.jsonl", spec.kind)
    train = train.with_weak(read_weak(folder / run.weak, train.ids))
    weak_model: Any = None
    if spec.weak_model and run.head:
        from aar.models import headfile

        weak_model = headfile.load(open_model(spec.weak_model, spec.kind, folder), folder / run.head)
    task = Task(
        name=spec.name,
        kind=spec.kind,
        seed=run.seed,
        train=train,
        test=read_rows(folder / "test.jsonl", spec.kind),
        student=open_student(spec.student, spec.kind, folder),
        weak_model=weak_model,
        params={**spec.params, **(params or {})},
        deadline_s=spec.deadline_s,
    )
    return replace(task, log=log) if log else task
