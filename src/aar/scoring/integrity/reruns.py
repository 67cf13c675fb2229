"""Reruns of a snapshot on altered tasks: the same sandbox, seeds, limits and shape as the verdict's own.

Every run of an altered task is altered, so that nothing in what a method is shown tells an audit from a verdict. Each
alteration is run at most once, when a check asks for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from aar.errors import MethodError
from aar.models import headfile
from aar.models import texts as spelled
from aar.models.features import FeatureStore
from aar.models.student import HeadStudent, TrainedHead
from aar.sandboxes.base import WORKSPACE, Sandbox
from aar.scoring.features import store
from aar.scoring.integrity import stand_in
from aar.scoring.integrity.case import Answer
from aar.scoring.integrity.execution import arm
from aar.scoring.integrity.teacher import flipped, permuted
from aar.scoring.prepare import fit_teachers, teacher_base, write_weak
from aar.scoring.problem import Card, Problem
from aar.scoring.rerun import Alteration, RerunRules, answers, restricted
from aar.settings import LabFolder
from aar.task.folder import TaskSpec, read_rows, read_weak, write_rows
from aar.teachers.base import teachers
from aar.testbeds.secret import keyed_id, keyed_rng, lab_secret
from aar.types import Claim, Fit, Pair, Predictions, Rows, Text

Relabel = Callable[[list[np.ndarray]], list[np.ndarray]]
SPLITS = ("train", "test")


@dataclass
class Reruns:
    """`Reruns(...)("permuted")` is the answer on that altered task, on the rows `ids`; None where it makes no sense
    (swapped claims, tripwires where no row holds code). `alone` [k, n]: after "random student", what a plain head on
    the same random features answers."""

    lab: LabFolder
    sandbox: Sandbox
    problem: Problem
    submission: str
    files: Mapping[str, bytes]
    ids: tuple[str, ...]
    rules: RerunRules
    alone: np.ndarray | None = None
    changed: np.ndarray | None = None
    done: dict[str, Answer | None] = field(default_factory=dict)

    def __call__(self, name: str) -> Answer | None:
        if name not in self.done:
            self.done[name] = self._run(name)
        return self.done[name]

    def _run(self, name: str) -> Answer | None:
        change = {
            "repeat": None,
            "permuted": self._labels(lambda w: permuted(w, self._key("permuted"))),
            "inverted": self._labels(lambda w: [1 - x for x in w]),
            "flipped": self._labels(lambda w: [flipped(x, self._rng(f"flipped {i}")) for i, x in enumerate(w)]),
            "fresh teachers": self._fresh,
            "swapped": self._swapped,
            "re-keyed": self._rekeyed,
            "tripwires": self._wired,
            "random student": self._random_student,
            "mismatched": self._mismatched,
        }[name]
        self.changed = None
        alter = Alteration(change, salt=" again" if name == "re-keyed" else "") if change else Alteration()
        try:
            told = answers(
                self.lab,
                self.sandbox,
                self.problem,
                self.submission,
                self.files,
                self.rules,
                alter,
                name.replace(" ", "-"),
            )
        except MethodError as error:
            return Answer(None, error.code)
        except NotAltered:
            return None
        p = np.stack([restricted(a.predictions, self.ids).p for a in told])
        left = tuple(sorted(frozenset[str]().union(*(a.left for a in told))))
        return Answer(
            1 - p if name == "swapped" else p, touched=left if name == "tripwires" else (), changed=self.changed
        )

    def _rng(self, what: str) -> np.random.Generator:
        return keyed_rng(lab_secret(self.lab), "audit", self.submission, what)

    def _key(self, what: str) -> int:
        return int(self._rng(what).integers(2**31))

    # -- other labels

    def _labels(self, new: Relabel) -> Callable[[Path, Path, Mapping[str, str]], None]:
        """Other weak labels in every run; a teacher that can be asked for more learns them."""

        def change(task: Path, features: Path, ids: Mapping[str, str]) -> None:
            spec, train, files = _runs(task)
            weaks = new([read_weak(task / weak, train.ids) for weak, _ in files])
            for (weak, _), labels in zip(files, weaks, strict=True):
                write_weak(task / weak, train.ids, labels)
            if heads := [(head, w) for (_, head), w in zip(files, weaks, strict=True) if head]:
                base = teacher_base(self.lab, teachers.get(self.problem.teacher), spec.kind)
                assert base is not None, "a teacher with heads reads a model"
                fits = [Fit(train, w.astype(np.float32), seed=i) for i, (_, w) in enumerate(heads)]
                for (head, _), model in zip(heads, base.fit(fits), strict=True):
                    assert isinstance(model, TrainedHead)
                    headfile.save(model, task / head)

        return change

    def _fresh(self, task: Path, features: Path, ids: Mapping[str, str]) -> None:
        """Teachers trained now, on draws that were never published."""
        spec, train, files = _runs(task)
        seeds = self._rng("fresh").integers(2**20, 2**31, size=len(files)).tolist()
        for (weak, head), model in zip(files, fit_teachers(self.lab, self.problem, spec.kind, seeds), strict=True):
            write_weak(task / weak, train.ids, model.predict(train))
            if head and isinstance(model, TrainedHead):
                headfile.save(model, task / head)

    # -- other rows

    def _swapped(self, task: Path, features: Path, ids: Mapping[str, str]) -> None:
        rows = _rows(task, "test")
        if rows.kind != "pair":
            raise NotAltered
        write_rows(task / "test.jsonl", rows.swap())

    def _rekeyed(self, task: Path, features: Path, ids: Mapping[str, str]) -> str:
        """All is the same and nothing that was brought along fits: training and test rows have other ids and another
        order, each text an invisible change, each model's features other dimensions, and the teacher's heads go with them."""
        spec, train, files = _runs(task)
        rng, order = self._rng("re-keyed"), self._rng("order").permutation(len(train))
        mixed = train.take(order)
        new = {i: keyed_id(lab_secret(self.lab), "re-keyed", self.submission, i) for i in mixed.ids}
        numbers = defaultdict[str, int](lambda: int(rng.integers(1000, 10_000)))

        def reworded(rows: Rows) -> tuple[Text, ...]:
            return tuple(_reworded(t, numbers[t[0]]) for t in rows.texts)

        write_rows(task / "train.jsonl", replace(mixed, ids=tuple(new.values())))
        for weak in {weak for weak, _ in files}:
            write_weak(task / weak, tuple(new.values()), read_weak(task / weak, new))
        turns = {m.model_id: stand_in.Turn.draw(m.width, self._rng(f"turn {m.model_id}")) for m in self._models()}
        if spec.weak_model:
            base = teacher_base(self.lab, teachers.get(self.problem.teacher), spec.kind)
            for path in {task / head for _, head in files if head}:
                assert base is not None, "a teacher with heads reads a model"
                headfile.save(TrainedHead(base, turns[spec.weak_model.id].head(headfile.load(base, path).head)), path)
        self._show(task, features, {split: reworded(_rows(task, split)) for split in SPLITS}, turns)
        return "features"

    def _wired(self, task: Path, features: Path, ids: Mapping[str, str]) -> str:
        """Training rows, too: who runs code there makes labels of its own."""
        rng, old = self._rng("tripwires"), {split: _rows(task, split) for split in SPLITS}
        texts = {split: tuple(arm(rows.texts, WORKSPACE, rng)) for split, rows in old.items()}
        if all(texts[split] == rows.texts for split, rows in old.items()):
            raise NotAltered
        test = old["test"]
        self._note(ids[i] for i, text, new in zip(test.ids, test.texts, texts["test"], strict=True) if new != text)
        self._show(task, features, texts)
        return "sealed"

    def _show(
        self, task: Path, features: Path, texts: Mapping[str, tuple[Text, ...]], turns: Mapping[str, stand_in.Turn] = {}
    ) -> None:
        """Other texts of these splits' rows, with the features of the old ones."""
        pairs: dict[str, str] = {}
        for split, new in texts.items():
            rows = _rows(task, split)
            pairs |= dict(zip(_flat(new), _flat(rows.texts), strict=True))
            write_rows(task / f"{split}.jsonl", replace(rows, texts=new))
        for model in self._models():
            rng, turn = self._rng("blur"), turns.get(model.model_id)
            stand_in.copy_for(model, list(pairs.values()), list(pairs), features, rng, turn)

    def _models(self) -> Iterator[FeatureStore]:
        card = Card.load(self.lab, self.problem)
        for model_id in filter(None, dict.fromkeys((card.student_id, card.teacher_id))):
            yield store(self.lab, model_id, sealed=True)

    # -- another student

    def _random_student(self, task: Path, features: Path, ids: Mapping[str, str]) -> str:
        spec, train, files = _runs(task)
        rows, real = _rows(task, "test"), store(self.lab, spec.student.id, sealed=True)
        stand_in.random_student(real, spelled.flat((*train.texts, *rows.texts)), features, self._key("random student"))
        stand_in.link_others([self.lab.features, self.lab.sealed_features], spec.student.id, features)
        replace(spec, student=replace(spec.student, folder=None)).save(task)
        plain = HeadStudent(
            FeatureStore([features], spec.student.id),
            spec.student.name,
            spec.kind,
            spec.student.layer,
            spec.student.pooling,
        )
        fits = [
            Fit(train, (read_weak(task / weak, train.ids) > 0.5).astype(np.float32), seed=i)
            for i, (weak, _) in enumerate(files)
        ]
        known = tuple(ids[i] for i in rows.ids)
        self.alone = np.stack([restricted(Predictions(known, m.predict(rows)), self.ids).p for m in plain.fit(fits)])
        return "all"

    def _mismatched(self, task: Path, features: Path, ids: Mapping[str, str]) -> str:
        """Half of the test rows get the features of another row; training rows and texts stay as they are."""
        spec, train, _ = _runs(task)
        rows, rng = _rows(task, "test"), self._rng("mismatched")
        chosen = rng.permutation(len(rows))[: len(rows) // 2]
        shown = np.arange(len(rows))
        shown[chosen] = np.roll(chosen, 1)
        new, old = _flat((*train.texts, *rows.texts)), _flat((*train.texts, *rows.take(shown).texts))
        for model in self._models():
            stand_in.copy_for(model, old, new, features, rng)
        replace(spec, student=replace(spec.student, folder=None)).save(task)
        self._note(ids[rows.ids[i]] for i in chosen)
        return "all"

    def _note(self, altered: Iterable[str]) -> None:
        """Keeps which rows were altered, by their real ids."""
        known = set(altered)
        self.changed = np.array([i in known for i in self.ids])


class NotAltered(Exception):
    """This alteration makes no sense for this problem."""


def _runs(task: Path) -> tuple[TaskSpec, Rows, list[tuple[str, str | None]]]:
    """The task, its training rows, and (weak labels, head) of each run, each file once."""
    spec = TaskSpec.load(task)
    return spec, _rows(task, "train"), list(dict.fromkeys((r.weak, r.head) for r in spec.runs))


def _rows(task: Path, split: str) -> Rows:
    return read_rows(task / f"{split}.jsonl", TaskSpec.load(task).kind)


def _flat(texts: Sequence[Text]) -> list[str]:
    return [t for row in texts for t in spelled.of(row)]


def _reworded(row: Text, number: int) -> Text:
    """The question gets a number, the answers a space at their end."""
    if isinstance(row, Claim):
        return Claim(f"{row.question} ({number})", row.choice + " ")
    return Pair(f"{row.prompt} ({number})", row.first + " ", row.second + " ")
