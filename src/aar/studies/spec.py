"""What a study is: who works how on which problem, with how much of everything. Lies in the lab as JSON.

    <lab>/studies/<name>/  spec.json events.jsonl tokens.json task/ findings/ result.json <researcher>/{journal.jsonl, ...}

Knows paths and rules for names; starts nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from aar.errors import Conflict, InputError, NotFound
from aar.lab.tokens import UNSANDBOXED
from aar.researchers.base import Assignment, Llm
from aar.researchers.grants import Grants
from aar.settings import LabFolder

BUDGETS = ("wall_s", "trials", "evaluations", "submissions")
LLM = ("model", "think", "usd", "usd_study", "usd_day")
MAX_NAME = 24  # a researcher's name, at most 40 long, starts with its study's


@dataclass(frozen=True)
class Member:
    """One researcher of the study. `direction`: a name in `researchers/directions`; `name` is unique in the lab."""

    name: str
    arm: str
    direction: str
    seed: int

    @property
    def kind(self) -> str:
        """Somebody's own agent could read the lab's folder, so it is said to be unsandboxed, and never ranks."""
        return UNSANDBOXED if self.arm == "external" else "external"


@dataclass(frozen=True)
class StudySpec:
    """Counts and `wall_s` are of each researcher. `seeds`: how many a trial runs on. `transfer`: problems that the best
    methods are run on at the end, which no researcher works on. `verdict_s`: how long to wait for the last reruns.
    `directions`: the words of those that are not packaged. `grants`: what all sandboxes of the study may use; GPUs go round."""

    name: str
    problem: str
    researchers: tuple[Member, ...]
    wall_s: float = 180.0
    trials: int = 12
    evaluations: int = 2
    submissions: int = 1
    seeds: int = 3
    workers: int = 1
    verdict_s: float = 300.0
    transfer: tuple[str, ...] = ()
    llm: Llm = field(default_factory=Llm)
    directions: Mapping[str, str] = field(default_factory=dict)
    grants: Grants = field(default_factory=Grants)

    def __post_init__(self) -> None:
        if not self.researchers:
            raise InputError("a study needs researchers", code="no_researchers")
        names = [m.name for m in self.researchers]
        if len(set(names)) != len(names):
            raise InputError("two researchers have one name", code="duplicate_name")
        if len(self.name) > MAX_NAME:
            raise InputError(f"study names have at most {MAX_NAME} characters", code="bad_name")
        if min(self.trials, self.evaluations, self.submissions) < 0 or min(self.seeds, self.wall_s, self.workers) <= 0:
            raise InputError(
                "a budget cannot be negative, and seeds, time and workers cannot be zero", code="bad_budget"
            )

    def assignment(self, member: Member) -> Assignment:
        return Assignment(
            self.name,
            member.name,
            member.arm,
            member.direction,
            member.seed,
            self.trials,
            self.evaluations,
            self.submissions,
            self.wall_s,
            self.llm,
            self.directions.get(member.direction, ""),
            self.grants.dealt(self.researchers.index(member)),
        )

    def tuned(self, change: Mapping[str, Any]) -> StudySpec:
        """With one line of `retuned.jsonl` (see `retune`)."""
        budgets = {name: change[name] for name in BUDGETS if name in change}
        llm = {name: change[name] for name in LLM if name in change}
        told = change.get("who", ())
        people = tuple(replace(m, direction=change["direction"]) if m.name in told else m for m in self.researchers)
        words = {**self.directions, **change.get("words", {})}
        return replace(self, researchers=people, directions=words, llm=replace(self.llm, **llm), **budgets)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class StudyFolder:
    """Where one study's files are."""

    lab: LabFolder
    name: str

    @property
    def root(self) -> Path:
        return self.lab.root / "studies" / self.name

    @property
    def retuned(self) -> Path:
        return self.root / "retuned.jsonl"

    @property
    def events(self) -> Path:
        return self.root / "events.jsonl"

    @property
    def task(self) -> Path:
        return self.root / "task"

    @property
    def findings(self) -> Path:
        return self.root / "findings"

    @property
    def result(self) -> Path:
        return self.root / "result.json"

    def home(self, researcher: str) -> Path:
        return self.root / researcher

    def create(self, spec: StudySpec) -> None:
        """Conflict where a study of that name is there and is another one."""
        if (self.root / "spec.json").exists():
            if self.written() != spec:
                raise Conflict(
                    f"study {spec.name!r} is there with other settings",
                    code="study_exists",
                    hint=f"choose another name, or go on with it: aar study resume {spec.name}",
                )
            return
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(self.root / "spec.json", spec.as_json())

    def load(self) -> StudySpec:
        """As it was written, and retuned since."""
        spec = self.written()
        for line in self.retuned.read_bytes().splitlines() if self.retuned.exists() else ():
            spec = spec.tuned(json.loads(line))
        return spec

    def written(self) -> StudySpec:
        path = self.root / "spec.json"
        if not path.exists():
            known = ", ".join(studies(self.lab)) or "none yet"
            raise NotFound(
                f"no study {self.name[:40]!r} in {self.lab.root}",
                hint=f"known: {known}; aar study new {self.name[:40]}",
            )
        raw = json.loads(path.read_text())
        people = tuple(Member(**m) for m in raw.pop("researchers"))
        llm, granted = Llm(**raw.pop("llm", {})), raw.pop("grants", {})
        granted |= {name: tuple(granted.get(name, ())) for name in ("hosts", "gpus")}
        transfer = tuple(raw.pop("transfer"))
        return StudySpec(**raw, researchers=people, transfer=transfer, llm=llm, grants=Grants(**granted))


def studies(lab: LabFolder) -> list[str]:
    """Names of all studies that have a folder here."""
    return sorted(path.parent.name for path in (lab.root / "studies").glob("*/spec.json"))


def team(study: str, arms: Sequence[tuple[str, int]], directions: Sequence[str], seed: int = 0) -> tuple[Member, ...]:
    """`count` researchers of each arm. Directions go round; the arm "random" has none: it is the control."""
    made: list[Member] = []
    given = 0
    for arm, count in arms:
        for i in range(1, count + 1):
            direction = "none" if arm == "random" else directions[given % len(directions)]
            given += arm != "random"
            made.append(Member(f"{study}.{arm}-{i}", arm, direction, seed * 1000 + len(made)))
    return tuple(made)


def write_private(path: Path, data: Any) -> None:
    """JSON in one piece or not at all, for its owner's eyes (0600), on disk when it returns."""
    part = path.with_suffix(".part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(data, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
