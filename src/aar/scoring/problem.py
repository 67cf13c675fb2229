"""A problem: testbed @ teacher / student. Floor, ceiling, gate and board key on it.

Names: `code` is short for `code@minilm/smollm2-135m`. The layer and pooling that heads read belong to the problem, so
that everyone competes on the same student; methods may still ask for any other layer.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from aar.errors import InputError, NotFound
from aar.settings import DEFAULT_STUDENT, DEFAULT_TEACHER, LabFolder
from aar.types import Kind

NAME = re.compile(r"([a-z0-9][a-z0-9._-]*)(?:@([a-z0-9._-]+)/([A-Za-z0-9._-]+))?")


How = Literal["head", "lora", "full"]


@dataclass(frozen=True)
class Problem:
    testbed: str
    teacher: str = DEFAULT_TEACHER
    student: str = DEFAULT_STUDENT

    @classmethod
    def parse(cls, name: str) -> Problem:
        match = NAME.fullmatch(name)
        if not match:
            raise InputError(f"{name!r} is not a problem name", hint="TESTBED or TESTBED@TEACHER/STUDENT, e.g. code")
        return cls(*(part for part in match.groups() if part))

    @property
    def name(self) -> str:
        return f"{self.testbed}@{self.teacher}/{self.student}"

    @property
    def lm(self) -> str:
        """The language model of the student, however it is trained."""
        return self.student if self.how == "head" else self.student.removesuffix(f"-{self.how}")

    @property
    def how(self) -> How:
        """How the student learns: a head on frozen features, or finetuned ("NAME-lora", "NAME-full")."""
        return "lora" if self.student.endswith("-lora") else "full" if self.student.endswith("-full") else "head"

    def with_student(self, student: str) -> Problem:
        """The same rows and teacher with another student; "lora" and "full" finetune the present one."""
        return replace(self, student=f"{self.lm}-{student}" if student in ("lora", "full") else student)

    @property
    def short(self) -> str:
        """The name a person types: the testbed alone where teacher and student are the default ones."""
        default = (self.teacher, self.student) == (DEFAULT_TEACHER, DEFAULT_STUDENT)
        return self.testbed if default else self.name


@dataclass(frozen=True)
class Card:
    """What anybody may know of a prepared problem. Accuracies are means over seeds on the interactive rows."""

    problem: str
    kind: Kind
    layer: int
    pooling: str
    student_id: str
    teacher_id: str | None
    seeds: int
    rows: dict[str, int]
    floor: dict[str, float]  # {mean, se}
    ceiling: dict[str, float] | None

    def save(self, lab: LabFolder) -> None:
        path = lab.problem(self.problem) / "card.json"
        path.write_text(json.dumps(self.__dict__, indent=1))

    @classmethod
    def load(cls, lab: LabFolder, problem: Problem) -> Card:
        path = lab.problem(problem.name) / "card.json"
        if not path.exists():
            raise NotFound(
                f"problem {problem.short!r} is not prepared in {lab.root}", hint=f"aar baseline run {problem.short}"
            )
        raw: dict[str, Any] = json.loads(path.read_text())
        return cls(**raw)
