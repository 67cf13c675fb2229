"""Everything a report is made of, read once: the study's files, the lab's public answers, the owner's baselines.

Exact figures come from two places only: the owner's table of baselines and the final lane's result. Reading them is
noted in the audit log before they are read. What researchers wrote is carried as it is; `visible` is for showing it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aar.analysis.claims import Figure
from aar.errors import AarError, MethodError, NotFound
from aar.lab.audit import AuditLog
from aar.lab.client import LabClient
from aar.lab.store import Store
from aar.researchers import configs
from aar.scoring import baselines
from aar.scoring.problem import Card, Problem
from aar.settings import LabFolder
from aar.studies.events import StudyEvent, read_events
from aar.studies.spec import StudyFolder, StudySpec

FINDINGS = 12


@dataclass(frozen=True)
class ProblemFigures:
    """A problem's card and the lines of its table of baselines: {method, result | None, not_run}."""

    problem: Problem
    card: Card
    lines: tuple[Mapping[str, Any], ...] = ()

    @property
    def scored(self) -> list[Mapping[str, Any]]:
        """The lines with a PGR."""
        return [line for line in self.lines if line["result"] and Figure.read(line["result"]["pgr"])]

    @property
    def best(self) -> Mapping[str, Any] | None:
        """The result of the best human baseline."""
        return max((line["result"] for line in self.scored), key=lambda r: r["pgr"]["mean"], default=None)


@dataclass(frozen=True)
class Material:
    """`board`: the public leaderboard; `findings`: newest first; both empty where no server answered."""

    spec: StudySpec
    events: tuple[StudyEvent, ...]
    result: Mapping[str, Any]
    problems: tuple[ProblemFigures, ...]
    board: tuple[Mapping[str, Any], ...] = ()
    findings: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def main(self) -> ProblemFigures | None:
        """The problem that was worked on."""
        wanted = Problem.parse(self.spec.problem)
        return next((p for p in self.problems if p.problem == wanted), None)

    @property
    def human(self) -> Figure | None:
        """PGR of the best human baseline: as the result has it, else from the table."""
        from_table = self.main.best["pgr"] if self.main and self.main.best else None
        return Figure.read(self.result.get("human_baseline")) or Figure.read(from_table)

    def label(self, researcher: str) -> str:
        """A researcher's name without its study's."""
        return researcher.removeprefix(f"{self.spec.name}.")

    def described(self, researcher: str, method: str) -> str:
        """What a method is, where its text holds a configuration of ours: a name like t012 says nothing."""
        for event in self.events:
            if (event.kind, event.researcher, event.data.get("method")) == ("trial", researcher, method):
                with contextlib.suppress(MethodError):
                    return configs.in_words(configs.read(str(event.data.get("source"))))
        return ""

    def arm(self, researcher: str) -> str:
        return next((m.arm for m in self.spec.researchers if m.name == researcher), "other")


def gather(lab: LabFolder, study: str, client: LabClient | None) -> Material:
    """All of it. Missing pieces (no result yet, no server, a problem never prepared) are left out, not made up."""
    folder = StudyFolder(lab, study)
    spec = folder.load()
    _note_look(lab, study)
    result = json.loads(folder.result.read_text()) if folder.result.exists() else {}
    named = dict.fromkeys(Problem.parse(n) for n in (spec.problem, *spec.transfer, *(result.get("transfer") or {})))
    problems = [p for problem in named if (p := _figures(lab, problem))]
    board, findings = _public(client, spec) if client else ((), ())
    return Material(spec, tuple(read_events(folder.events)), result, tuple(problems), board, findings)


def _note_look(lab: LabFolder, study: str) -> None:
    """In the audit log before anything sealed is read."""
    store = Store(lab.database)
    try:
        store.record("owner", "look.report", study=study, what="baselines and the result of the final lane")
        AuditLog(lab.database.parent / "audit.jsonl", lab.sealed / "audit.key").drain(store)
    finally:
        store.close()


def _figures(lab: LabFolder, problem: Problem) -> ProblemFigures | None:
    try:
        card = Card.load(lab, problem)
    except NotFound:
        return None
    path = baselines.saved(lab, problem)
    return ProblemFigures(problem, card, tuple(json.loads(path.read_text())) if path.exists() else ())


def _public(client: LabClient, spec: StudySpec) -> tuple[tuple[Mapping[str, Any], ...], tuple[Mapping[str, Any], ...]]:
    try:
        board = _of(spec, client.leaderboard(spec.problem)["rows"])
        findings = [f for f in client.findings(sort="new", limit=200) if f["study"] == spec.name]
    except AarError:
        return (), ()
    return tuple(board), tuple(findings[:FINDINGS])


def _of(spec: StudySpec, rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The study's own rows, and those of nobody (floor, ceiling, baselines)."""
    ours = {m.name for m in spec.researchers}
    return [r for r in rows if r["researcher"] is None or r["researcher"] in ours]
