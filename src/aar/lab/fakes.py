"""For tests and for trying the API: a scorer without labels, a method that does nothing, people with tokens.

The fake truth of a row is "its id's hash is even".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from aar.errors import BudgetSpent, InputError
from aar.lab import tokens
from aar.lab.services import Budget, EvaluationAnswer, Lab, ProblemCard
from aar.lab.tokens import Identity

METHOD = {"method.py": b"def run(task):\n    return task\n"}


class FakeScorer:
    """One problem, `toy`, with rows r0 ... r9. `limit` paid vectors in all; the same vector again is a duplicate."""

    def __init__(self, limit: int = 100) -> None:
        self.limit = limit
        self.paid: dict[str, float] = {}
        self.ids = [f"r{i}" for i in range(10)]

    def problems(self) -> list[ProblemCard]:
        return [ProblemCard("toy@fake/fake", "pair", 0.5, 0.9, len(self.ids), aliases=("toy",))]

    def evaluate(
        self, researcher: str, problem: str, study: str | None, predictions: Mapping[str, float]
    ) -> EvaluationAnswer:
        if set(predictions) != set(self.ids):
            raise InputError("every id of the test file exactly once", code="wrong_ids")
        key = "".join(str(int(predictions[i] > 0.5)) for i in self.ids)
        duplicate = key in self.paid
        if not duplicate and len(self.paid) >= self.limit:
            raise BudgetSpent("no evaluations left")
        accuracy = sum((predictions[i] > 0.5) == self.truth(i) for i in self.ids) / len(self.ids)
        self.paid[key] = accuracy
        left = self.limit - len(self.paid)
        if accuracy <= 0.5:
            return EvaluationAnswer("not_improved", None, None, duplicate, left)
        return EvaluationAnswer("improved", round((accuracy - 0.5) / 0.4, 3), accuracy, duplicate, left)

    def budget(self, researcher: str, problem: str, study: str | None) -> Budget:
        left = self.limit - len(self.paid)
        return Budget(problem, self.limit, len(self.paid), left, left)

    @staticmethod
    def truth(id_: str) -> bool:
        return hashlib.sha256(id_.encode()).digest()[0] % 2 == 0


def person(lab: Lab, name: str, study: str | None = None) -> Identity:
    """A researcher who holds a token."""
    return tokens.verify(lab.store, tokens.create(lab.store, name, study=study))


def bearer(lab: Lab, name: str, scope: str = "researcher", study: str | None = None) -> dict[str, str]:
    """The header of a new token."""
    return {"Authorization": "Bearer " + tokens.create(lab.store, name, scope, study)}
