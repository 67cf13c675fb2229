"""Make a testbed a problem: features, teachers, weak labels, floor and ceiling.

Floor: the teacher's accuracy; ceiling: the student trained on the truth of the unlabeled rows; both over several seeds
on every scored row (interactive, OOD, private). What a researcher may see goes to `lab.problem(...)`: the card, weak
labels, teacher heads. Who was right on which row is sealed: it would be a label.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aar.errors import InputError
from aar.models import frozen, headfile
from aar.models.student import HeadStudent, TrainedHead
from aar.scoring.features import Progress, deepest, ensure, store
from aar.scoring.metrics import correctness
from aar.scoring.problem import Card, Problem
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.teachers.base import Teacher, teachers
from aar.testbeds.rows import Split
from aar.types import Fit, Kind, Model, Rows

SEEDS = 16
SCORED: tuple[Split, ...] = ("test", "ood", "private")


@dataclass(frozen=True)
class Baseline:
    """Floor and ceiling, row by row: correctness [seeds, n] in the order of `ids`. Sealed: it tells labels."""

    ids: tuple[str, ...]
    floor: np.ndarray
    ceiling: np.ndarray | None

    @staticmethod
    def path(lab: LabFolder, problem: Problem) -> Path:
        return lab.sealed / "problems" / f"{problem.name.replace('/', '_')}.npz"

    @classmethod
    def load(cls, lab: LabFolder, problem: Problem) -> Baseline:
        with np.load(cls.path(lab, problem), allow_pickle=False) as z:
            ceiling = z["ceiling"] if z["ceiling"].size else None
            return cls(tuple(z["ids"].tolist()), z["floor"], ceiling)

    def save(self, lab: LabFolder, problem: Problem) -> None:
        path = self.path(lab, problem)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        ceiling = self.ceiling if self.ceiling is not None else np.zeros((0, 0))
        with path.open("wb") as out:
            np.savez_compressed(out, ids=np.array(self.ids), floor=self.floor, ceiling=ceiling)

    def on(self, ids: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray | None]:
        """(floor, ceiling) restricted to these rows, [seeds, len(ids)] each."""
        where = {id_: i for i, id_ in enumerate(self.ids)}
        index = [where[i] for i in ids]
        return self.floor[:, index], None if self.ceiling is None else self.ceiling[:, index]


def student_of(lab: LabFolder, problem: Problem, kind: Kind, *, sealed: bool) -> Model:
    lm = frozen.load(problem.lm)
    frozen_student = HeadStudent(
        store(lab, lm.id, sealed=sealed), problem.lm, kind, deepest(lm.layers), "mean", lm.folder
    )
    if problem.how == "head":
        return frozen_student
    from aar.models.tuned.rules import Tuning
    from aar.models.tuned.student import TunedStudent

    return TunedStudent(frozen_student, Tuning(problem.how), lab.checkpoints)


def teacher_base(lab: LabFolder, teacher: Teacher, kind: Kind) -> HeadStudent | None:
    if teacher.reads is None:
        return None
    name, layer, pooling = teacher.reads
    return HeadStudent(store(lab, frozen.load(name).id, sealed=True), name, kind, layer, pooling)


def _labels(lab: LabFolder, problem: Problem, rows: Rows) -> np.ndarray:
    return Sealed(lab).labels(problem.testbed, rows.ids).astype(np.float32)


def fit_teachers(lab: LabFolder, problem: Problem, kind: Kind, seeds: Iterable[int]) -> list[Model]:
    """A teacher for each seed, on its own draw of the labelled rows."""
    teacher, rows = teachers.get(problem.teacher), Sealed(lab).rows(problem.testbed, "labeled")
    base, labels = teacher_base(lab, teacher, kind), _labels(lab, problem, rows)
    return [teacher.fit(rows, labels, seed, base) for seed in seeds]


def fit_ceilings(lab: LabFolder, problem: Problem, kind: Kind, seeds: int) -> list[Model] | None:
    """The student trained on the truth, or None where the unlabeled rows came without labels."""
    train = Sealed(lab).rows(problem.testbed, "unlabeled")
    try:
        truth = _labels(lab, problem, train)
    except InputError:
        return None
    return student_of(lab, problem, kind, sealed=True).fit([Fit(train, truth, seed=s) for s in range(seeds)])


def prepare(
    lab: LabFolder,
    problem: Problem,
    *,
    seeds: int = SEEDS,
    processes: int = 2,
    progress: Progress | None = None,
    force: bool = False,
    ceilings: int | None = None,
) -> Card:
    """Idempotent. Takes the features' time (a minute for an embedded testbed) plus seconds. `ceilings`: seeds of the
    ceiling, if not as many as of the floor; a finetuned student, which may take hours a seed, gets none unasked."""
    if ceilings == 1:
        raise InputError("one seed has no error", code="too_few_seeds", hint="two seeds of the ceiling or more")
    if not force and (lab.problem(problem.name) / "card.json").exists():
        card = Card.load(lab, problem)
        if card.ceiling is not None or not ceilings:  # a ceiling that is asked for and missing is trained now
            return card
    sealed, teacher = Sealed(lab), teachers.get(problem.teacher)
    kind = sealed.rows(problem.testbed, "unlabeled").kind
    ensure(lab, problem.testbed, problem.lm, labelled=False, processes=processes, progress=progress)
    if teacher.reads:
        ensure(lab, problem.testbed, teacher.reads[0], labelled=True, processes=processes, progress=progress)

    weak = fit_teachers(lab, problem, kind, range(seeds))
    _publish_weak_labels(lab, problem, weak)
    count = ceilings if ceilings is not None else seeds if problem.how == "head" else 0
    strong = fit_ceilings(lab, problem, kind, count) if count else None
    baseline = _score_baseline(lab, problem, weak, strong)
    baseline.save(lab, problem)

    test = sealed.rows(problem.testbed, "test")
    floor, ceiling = baseline.on(test.ids)
    lm = frozen.load(problem.lm)
    card = Card(
        problem=problem.name,
        kind=kind,
        layer=deepest(lm.layers),
        pooling="mean",
        student_id=lm.id,
        teacher_id=frozen.load(teacher.reads[0]).id if teacher.reads else None,
        seeds=seeds,
        rows={s: len(sealed.rows(problem.testbed, s)) for s in ("labeled", "unlabeled", *SCORED)},
        floor=_mean_se(floor),
        ceiling=None if ceiling is None else _mean_se(ceiling),
    )
    card.save(lab)  # last: a problem without its card is not prepared
    return card


def _mean_se(right: np.ndarray) -> dict[str, float]:
    accuracy = right.mean(1)
    return {"mean": float(accuracy.mean()), "se": float(accuracy.std(ddof=1) / np.sqrt(len(accuracy)))}


def _score_baseline(lab: LabFolder, problem: Problem, weak: list[Model], strong: list[Model] | None) -> Baseline:
    parts = [Sealed(lab).rows(problem.testbed, s) for s in SCORED]
    parts = [rows for rows in parts if len(rows)]
    truth = [_labels(lab, problem, rows) for rows in parts]

    def right(models: list[Model]) -> np.ndarray:
        return np.stack(
            [np.concatenate([correctness(m.predict(r), y) for r, y in zip(parts, truth, strict=True)]) for m in models]
        )

    ids = tuple(i for rows in parts for i in rows.ids)
    return Baseline(ids, right(weak), right(strong) if strong else None)


def _publish_weak_labels(lab: LabFolder, problem: Problem, models: list[Model]) -> None:
    train, folder = Sealed(lab).rows(problem.testbed, "unlabeled"), lab.problem(problem.name)
    for sub in ("weak", "heads"):
        folder.joinpath(sub).mkdir(parents=True, exist_ok=True)
    for seed, model in enumerate(models):
        write_weak(folder / "weak" / f"{seed}.json", train.ids, model.predict(train))
        if isinstance(model, TrainedHead):
            headfile.save(model, folder / "heads" / f"{seed}.safetensors")


def write_weak(path: Path, ids: tuple[str, ...], weak: np.ndarray) -> None:
    """One teacher's P(label = 1) of these rows, by id."""
    path.write_text(json.dumps(dict(zip(ids, np.asarray(weak, float).round(6).tolist(), strict=True))))
