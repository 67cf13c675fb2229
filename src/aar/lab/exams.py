"""The scorer of a real lab: problems from the lab folder, labels through the sealed reader, answers from the gate.

Every answer, of `evaluate` and of a verdict, goes through one gate whose log lies in the lab's database and commits
with the answer. Problems that are prepared later are found at the next question.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from aar.lab.gatestore import SqlGateStore, SqlLabelSets
from aar.lab.services import Budget, EvaluationAnswer, ProblemCard
from aar.lab.store import Store
from aar.scoring.gate import Exam, Gate, GateAnswer, GateRules
from aar.scoring.labelsets import Sighting, register
from aar.scoring.problem import Card, Problem
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder


class Exams:
    """`open_lab(folder, lambda store: Exams(folder, store))`."""

    def __init__(self, folder: LabFolder, store: Store, rules: GateRules | None = None) -> None:
        self.folder, self.store = folder, store
        self.rules = rules or GateRules()
        self.gate, self.label_sets = Gate(SqlGateStore(store), self.rules), SqlLabelSets(store)
        self._exams: dict[str, Exam] = {}

    def problems(self) -> list[ProblemCard]:
        cards = [Card.load(self.folder, problem) for problem in prepared(self.folder)]
        return [self._card(card) for card in cards]

    def evaluate(
        self, researcher: str, problem: str, study: str | None, predictions: Mapping[str, float]
    ) -> EvaluationAnswer:
        exam = self.exam(problem)
        with self._atomic(exam, study, researcher):
            said = self.gate.answer(exam, researcher, predictions, team=study or "")
        return EvaluationAnswer(
            said.status,
            said.pgr if isinstance(said.pgr, float) else None,
            said.accuracy,
            said.duplicate,
            said.budget_left,
        )

    def verdict(
        self, researcher: str, problem: str, study: str | None, runs: Sequence[Mapping[str, float]]
    ) -> GateAnswer:
        """What the researcher may hear of a rerun: its seeds' predictions on the interactive rows, through the gate."""
        exam = self.exam(problem)
        with self._atomic(exam, study, researcher):
            return self.gate.answer_verified(exam, researcher, runs, team=study or "")

    def budget(self, researcher: str, problem: str, study: str | None) -> Budget:
        exam = self.exam(problem)
        left, n = self.gate.budget_left(exam, researcher), len(exam.ids)
        return Budget(problem, self.rules.pool(n), self.gate.spent(exam), left, min(left, self.rules.daily))

    def exam(self, name: str) -> Exam:
        """The interactive rows with their gold labels; opened once per problem, inside this process only."""
        if name not in self._exams:
            problem = Problem.parse(name)
            card, sealed = Card.load(self.folder, problem), Sealed(self.folder)
            rows = sealed.rows(problem.testbed, "test")
            ceiling = card.ceiling["mean"] if card.ceiling else card.floor["mean"]
            self._exams[name] = Exam(
                problem.name,
                register(self.label_sets, rows.texts),
                rows.ids,
                sealed.labels(problem.testbed, rows.ids),
                card.floor["mean"],
                ceiling,
            )
        return self._exams[name]

    @contextmanager
    def _atomic(self, exam: Exam, study: str | None, researcher: str) -> Iterator[None]:
        """A transaction that notes who has seen the label set, and makes the gate forget what is rolled back."""
        with self.store.transaction() as session:
            sa.event.listen(session, "after_rollback", lambda _: self.gate.forget(exam.label_set), once=True)
            self.label_sets.add_sighting(Sighting(exam.label_set, study or "", researcher))
            yield

    def _card(self, card: Card) -> ProblemCard:
        problem, n = Problem.parse(card.problem), card.rows["test"]
        ceiling = card.ceiling["mean"] if card.ceiling else None
        short = (problem.short,) if problem.short != problem.name else ()
        return ProblemCard(
            problem.name, card.kind, card.floor["mean"], ceiling, n, n >= self.rules.min_rows, aliases=short
        )


def prepared(folder: LabFolder) -> list[Problem]:
    """The problems of this lab whose floor and ceiling are measured."""
    cards = sorted(folder.root.glob("problems/*/card.json"))
    return [Problem.parse(json.loads(card.read_text())["problem"]) for card in cards]
