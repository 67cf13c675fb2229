"""The lab's scorer: prepared problems, their gold labels and the gate, behind the contract of `services.py`.

    open_lab(folder, lambda store: GateScorer(folder, store))

Runs in the lab's trusted process; labels are read through `aar.scoring.sealed` and go into the gate, nowhere else.
The gate locks before it writes, so it is only ever entered inside the store's transaction: two threads that took
the two locks in opposite order would wait for each other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from aar.lab.gatestore import SqlGateStore, SqlLabelSets
from aar.lab.services import Budget, EvaluationAnswer, ProblemCard
from aar.lab.store import Store
from aar.lab.tables import Evaluation
from aar.scoring.gate import DAY, Exam, Gate, GateRules
from aar.scoring.labelsets import Sighting, register
from aar.scoring.problem import Card, Problem
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder


class GateScorer:
    """A `Scorer` for the problems that were prepared in this lab folder. `rules`: see `aar.scoring.gate`."""

    def __init__(self, folder: LabFolder, store: Store, rules: GateRules | None = None) -> None:
        self.folder, self.store = folder, store
        self.gate = Gate(SqlGateStore(store), rules)
        self.label_sets = SqlLabelSets(store)
        self._cards: dict[Path, tuple[int, Card]] = {}
        self._exams: dict[str, tuple[Card, Exam]] = {}
        self._new: set[str] = set()  # exams whose label set was registered in a transaction that is still open
        self._sighted: set[Sighting] = set()  # written down, unless a transaction was rolled back since
        store.after_commit.append(self._new.clear)
        store.after_rollback.append(self._forget_new)

    def problems(self) -> list[ProblemCard]:
        """Every problem with a card, by name."""
        return [self._public(card) for card in self._found()]

    def evaluate(
        self, researcher: str, problem: str, study: str | None, predictions: Mapping[str, float]
    ) -> EvaluationAnswer:
        """One vector in the interactive lane."""
        with self.store.transaction():
            exam = self.exam(problem)
            answer = self.gate.answer(exam, researcher, predictions, team=study or "")
            self._seen(exam, researcher, study)
        score = answer.pgr if isinstance(answer.pgr, float) else None
        return EvaluationAnswer(answer.status, score, answer.accuracy, answer.duplicate, answer.budget_left)

    def verdict(
        self, researcher: str, problem: str, study: str | None, runs: Sequence[Mapping[str, float]]
    ) -> dict[str, Any]:
        """What the researcher hears of a rerun: {status, pgr, accuracy, duplicate, budget_left, error}."""
        with self.store.transaction():
            exam = self.exam(problem)
            answer = self.gate.answer_verified(exam, researcher, runs, team=study or "")
            self._seen(exam, researcher, study)
        return answer.as_json() | {"pgr": answer.pgr if isinstance(answer.pgr, float) else None}

    def reaches(
        self, researcher: str, problem: str, study: str | None, runs: Sequence[Mapping[str, float]], bar: float
    ) -> bool:
        """Whether these seeds of a rerun get at least `bar` of the interactive rows right: paid, see `Gate.reaches`."""
        with self.store.transaction():
            exam = self.exam(problem)
            reached = self.gate.reaches(exam, researcher, runs, bar, team=study or "")
            self._seen(exam, researcher, study)
        return reached

    def budget(self, researcher: str, problem: str, study: str | None) -> Budget:
        with self.store.transaction():
            exam = self.exam(problem)
            left = self.gate.budget_left(exam, researcher)
            paid = (Evaluation.label_set == exam.label_set, Evaluation.paid)
            mine = (Evaluation.researcher == researcher, Evaluation.at > time.time() - DAY)
            spent, today = self._count(*paid), self._count(*paid, *mine)
        rules = self.gate.rules
        return Budget(problem, rules.pool(len(exam.ids)), spent, left, max(0, rules.daily - today))

    def exam(self, problem: str) -> Exam:
        """The interactive rows with their labels and scale; read once, again when the problem is prepared anew."""
        parsed = Problem.parse(problem)
        card = self._card(parsed)
        known = self._exams.get(parsed.name)
        if known is None or known[0] != card:
            sealed = Sealed(self.folder)
            rows = sealed.rows(parsed.testbed, "test")
            label_set = register(self.label_sets, rows.texts)
            gold = sealed.labels(parsed.testbed, rows.ids)
            ceiling = card.ceiling["mean"] if card.ceiling else None
            known = card, Exam(parsed.name, label_set, rows.ids, gold, card.floor["mean"], ceiling)
            self._exams[parsed.name] = known
            self._new.add(parsed.name)
        return known[1]

    def _forget_new(self) -> None:
        self._sighted.clear()
        while self._new:
            self._exams.pop(self._new.pop(), None)

    def _seen(self, exam: Exam, researcher: str, study: str | None) -> None:
        sighting = Sighting(exam.label_set, study or "", researcher)
        if sighting not in self._sighted:
            self.label_sets.add_sighting(sighting)
            self._sighted.add(sighting)

    def _count(self, *where: sa.ColumnElement[bool] | Any) -> int:
        with self.store.reading() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(Evaluation).where(*where)) or 0

    def _found(self) -> list[Card]:
        paths = self.folder.problem("any").parent.glob("*/card.json")
        return sorted((self._read(path) for path in paths), key=lambda card: card.problem)

    def _card(self, problem: Problem) -> Card:
        path = self.folder.problem(problem.name) / "card.json"
        return self._read(path) if path.exists() else Card.load(self.folder, problem)  # which says what to do

    def _read(self, path: Path) -> Card:
        """The card, parsed again only when its file has changed."""
        changed = path.stat().st_mtime_ns
        known = self._cards.get(path)
        if known is None or known[0] != changed:
            known = self._cards[path] = changed, Card(**json.loads(path.read_bytes()))
        return known[1]

    def _public(self, card: Card) -> ProblemCard:
        n = card.rows.get("test", 0)
        parsed = Problem.parse(card.problem)
        aliases = (parsed.short,) if parsed.short != parsed.name else ()
        ceiling = card.ceiling["mean"] if card.ceiling else None
        interactive = n >= self.gate.rules.min_rows
        return ProblemCard(parsed.name, card.kind, card.floor["mean"], ceiling, n, interactive, aliases)
