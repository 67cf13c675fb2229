"""What `random` and `search` share: try recipes on public data, ask the lab rarely, tell others, submit the best guess.

An arm differs in `propose` and `look_around` alone, so that a comparison of arms compares those. The few paid answers are
spread over the trials. The first goes to the middle method of the first generation: it says what the direction is typically
worth, and the lab's Ladder, which tells improvements only, can still speak later. Deterministic given seed and answers.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from aar.errors import BudgetSpent
from aar.researchers import space
from aar.researchers.base import Answer, Assignment, FindingKind, Left, Trial, Workbench
from aar.researchers.findings import data_of, with_data
from aar.researchers.signals import CLAIMED, Guess, Observation, Signals, consensus, observed, signals_of
from aar.researchers.space import Recipe
from aar.researchers.starts import direction

WAIT_SHARE, WAIT_LEAST_S = 0.15, 5.0  # of the wall clock, kept for the last submission and its verdict
REDRAWS = 50


@dataclass(frozen=True)
class Idea:
    """A recipe to try, and what of others it builds on."""

    recipe: Recipe
    snapshots: tuple[str, ...] = ()
    findings: tuple[int, ...] = ()


@dataclass
class Candidate:
    """An idea that was tried. `answer`: what the lab told of it, through `submission` where there is one."""

    idea: Idea
    method: Path
    trial: Trial
    signals: Signals
    guess: float = 0.0
    answer: Answer | None = None
    bar: float = 0.0
    snapshot: str | None = None
    submission: int | None = None

    def data(self) -> dict[str, Any]:
        """For a finding's data block."""
        told = {} if self.answer is None else {"pgr": self.answer.pgr, "bar": self.bar}
        return {"recipe": self.idea.recipe, "signals": self.signals, "guess": round(self.guess, 3), **told}


@dataclass
class AbstractExplorer(abc.ABC):
    """See the module. `first`: how many trials come from the direction's family before `propose` is asked."""

    assignment: Assignment
    tried: list[Candidate] = field(default_factory=list)
    told: float = 0.0  # the best PGR that the lab told this researcher; its Ladder starts at the floor

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.assignment.seed)
        self.start = direction(self.assignment.direction)
        self.first = max(1, self.assignment.trials // 4)
        self.seen: set[str] = set()
        self.pending: list[Candidate] = []
        self.heard: dict[int, Observation] = {}  # finding -> what it says an answer was

    @abc.abstractmethod
    def propose(self) -> Idea:
        """What to try next, after the first generation."""

    @abc.abstractmethod
    def look_around(self, bench: Workbench) -> None:
        """Take in what others found. Called before every trial after the first generation."""

    # -- the loop

    def work(self, bench: Workbench) -> None:
        try:
            self._explore(bench)
        except BudgetSpent as spent:
            bench.log(f"nothing left: {spent.message}")
        self._hand_in(bench)

    def _explore(self, bench: Workbench) -> None:
        reserve = min(60.0, max(WAIT_LEAST_S, WAIT_SHARE * self.assignment.wall_s))
        while (left := bench.budget()).trials > 0 and left.seconds > reserve:
            early = len(self.tried) < self.first
            if not early:
                self.look_around(bench)
            self._try(bench, self._fresh(early))
            if len(self.tried) == self.first:
                self._tell_beginning(bench)
            self._ask(bench, left)

    def _fresh(self, early: bool) -> Idea:
        """An idea that was not tried yet."""
        for _ in range(REDRAWS):
            idea = Idea(space.draw(self.rng, self.start.family)) if early else self.propose()
            if space.canonical(idea.recipe) not in self.seen:
                break
        self.seen.add(space.canonical(idea.recipe))
        return idea

    def _try(self, bench: Workbench, idea: Idea) -> None:
        why = f"{self.assignment.arm} on {bench.direction}, trial {len(self.tried) + 1}"
        method = bench.write_method(f"t{len(self.tried) + 1:03d}", space.source(idea.recipe, why))
        trial = bench.try_method(method)
        signals = {} if trial.error else signals_of(trial)
        self.tried.append(Candidate(idea, method, trial, signals))
        self._judge()

    @property
    def good(self) -> list[Candidate]:
        """Those that ran."""
        return [c for c in self.tried if not c.trial.error]

    def _judge(self) -> None:
        """Guess every method's worth again: consensus and answers have changed."""
        good = self.good
        if not good:
            return
        for c, agreed in zip(good, consensus([c.trial.p for c in good]), strict=True):
            c.signals["consensus"] = agreed
        own = [Observation(c.signals, c.answer.pgr, c.bar) for c in good if c.answer and c.answer.state == "answered"]
        guess = Guess([c.signals for c in good], [*own, *self.heard.values()])
        for c in good:
            c.guess = round(guess(c.signals), 4)

    # -- the few answers

    def _ask(self, bench: Workbench, left: Left) -> None:
        """Evaluate or submit when its time in the sequence of trials has come."""
        trials, done = self.assignment.trials, len(self.tried)
        asked = self.assignment.evaluations - left.evaluations
        if left.evaluations > 0 and left.paid > left.submissions and done >= self._due(asked, self.assignment.evaluations + 1):
            self._evaluate(bench, self._middle() if asked == 0 else self._best_unasked())
        handed = self.assignment.submissions - left.submissions
        if left.submissions > 1 and self._due(handed, self.assignment.submissions) <= done < trials:
            self._submit(bench, self._best_unasked())
        for candidate in list(self.pending):
            self._hear(bench, candidate, 0.0)

    def _due(self, number: int, parts: int) -> int:
        """After how many trials the answer of this number (from 0) is asked for, if they come in `parts` parts."""
        return max(self.first, self.assignment.trials * (number + 1) // max(1, parts))

    def _middle(self) -> Candidate | None:
        ranked = self._ranked()
        return ranked[len(ranked) // 2] if ranked else None

    def _best_unasked(self) -> Candidate | None:
        """The best guess, if it promises more than what the lab told already."""
        return next((c for c in self._ranked() if c.answer is None and c.submission is None and c.guess > self.told), None)

    def _ranked(self) -> list[Candidate]:
        return sorted(self.good, key=lambda c: -c.guess)

    def _evaluate(self, bench: Workbench, candidate: Candidate | None) -> None:
        """One seed's vector, the same for every method: a rerun's verdict is about single runs as well."""
        if candidate is None:
            return
        p = candidate.trial.p[0]
        answer = bench.evaluate(dict(zip(candidate.trial.ids, p.tolist(), strict=True)))
        self._learn(candidate, answer)
        self._tell_result(bench, candidate)

    def _learn(self, candidate: Candidate, answer: Answer) -> None:
        candidate.answer, candidate.bar = answer, self.told
        if answer.pgr is not None:
            self.told = max(self.told, answer.pgr)
        self._judge()

    def _submit(self, bench: Workbench, candidate: Candidate | None) -> None:
        if candidate is None:
            return
        note = f"{candidate.method.name}: {_in_words(candidate.idea.recipe)}"
        candidate.snapshot = bench.upload_snapshot(candidate.method, candidate.idea.snapshots, note)
        candidate.submission = bench.submit(candidate.method)
        self.pending.append(candidate)

    def _hear(self, bench: Workbench, candidate: Candidate, wait_s: float) -> None:
        """The verdict of a submission, if it is there."""
        assert candidate.submission is not None
        answer = bench.submission(candidate.submission, wait_s)
        if answer.state == "pending":
            return
        self.pending.remove(candidate)
        if answer.state == "answered":
            self._learn(candidate, answer)
            self._tell_result(bench, candidate)

    def _hand_in(self, bench: Workbench) -> None:
        """The last submission: the best guess, also where it promises no more than was told."""
        left = bench.budget()
        unasked = [c for c in self._ranked() if c.submission is None]
        if left.submissions > 0 and unasked:
            self._submit(bench, self._best_unasked() or unasked[0])
        for candidate in list(self.pending):
            self._hear(bench, candidate, max(0.0, bench.budget().seconds - 2))

    # -- telling others

    def _tell_beginning(self, bench: Workbench) -> None:
        ranked = self._ranked()
        if not ranked:
            return
        words = f"Of {len(ranked)} starts, {_in_words(ranked[0].idea.recipe)} has the best process signals. No label was asked."
        self._share(bench, "hypothesis", f"Starting from {bench.direction}", words, ranked[0])

    def _tell_result(self, bench: Workbench, candidate: Candidate) -> None:
        assert candidate.answer
        pgr, lane = candidate.answer.pgr, "verified" if candidate.submission else "interactive"
        said = "no improvement" if pgr is None else f"PGR {pgr:.2f}"
        title = f"{said} ({lane}): {_in_words(candidate.idea.recipe)}"
        self._share(bench, "result" if pgr is not None else "observation", title, f"Guessed {candidate.guess:.2f} after the answer.", candidate)

    def _share(self, bench: Workbench, kind: FindingKind, title: str, words: str, candidate: Candidate) -> None:
        bench.share_finding(
            kind, title, with_data(words, candidate.data()), runs=[candidate.submission] if candidate.submission else [],
            snapshots=[candidate.snapshot] if candidate.snapshot else [], findings=candidate.idea.findings,
        )

    def listen(self, bench: Workbench) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """(id, data) of others' findings with an answer in them; their answers join the guess, as claims."""
        for finding in bench.findings():
            if finding.researcher != bench.name and finding.standing != "disqualified":
                data = data_of(finding.body)
                seen = observed(data, CLAIMED)
                if seen and "pgr" in data:
                    self.heard[finding.id] = seen
                yield finding.id, data


def _in_words(recipe: Recipe) -> str:
    return f"{recipe['label']} labels, {recipe['select']} rows, {recipe['loss']} at layer {recipe['layer']}"
