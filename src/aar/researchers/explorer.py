"""What `random` and `search` share: try recipes on public data, ask the lab rarely, tell others, submit the best guess.

An arm differs in `propose` and `look_around` alone, so that a comparison of arms compares those. Evaluations go to methods
below the middle of what was tried: they teach the guess as much as the best would, and the lab's Ladder, which tells
improvements only, can still speak when the best is submitted. What is evaluated is the mean over a trial's seeds, each of which learnt from
another draw of the teacher: steadier than one seed, and about a Ladder step above the single runs that a verdict is about.
Deterministic given seed and answers.
"""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from aar.errors import BudgetSpent
from aar.researchers import configs, starts
from aar.researchers.base import Answer, Assignment, FindingKind, Left, Trial, Workbench
from aar.researchers.configs import Config
from aar.researchers.findings import with_data
from aar.researchers.guess import TOLD, VERDICT, Guess, Observation
from aar.researchers.signals import Signals, consensus, signals_of

WAIT_SHARE, WAIT_LEAST_S = 0.15, 5.0  # of the wall clock, kept for the last submission and its verdict
REDRAWS = 50


@dataclass(frozen=True)
class Idea:
    """A recipe or whole method to try, and what of others it builds on."""

    recipe: Config
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
    bar: float = 0.0  # what this researcher had been told when it asked: an answer without a figure is not above it
    snapshot: str | None = None
    submission: int | None = None

    def observation(self) -> Observation | None:
        if self.answer is None or self.answer.state != "answered":
            return None
        noise = VERDICT if self.submission else TOLD
        return Observation(self.idea.recipe, self.signals, self.answer.pgr, self.bar, noise)

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
        self.start = starts.of(self.assignment)
        self.first = max(1, self.assignment.trials // 4)
        self.seen: set[str] = set()
        self.pending: list[Candidate] = []
        self.heard: dict[int, Observation] = {}  # finding of another -> what its answer was
        self.guess = Guess([])
        self.offers: frozenset[str] = frozenset()  # what its task offers a method

    @abc.abstractmethod
    def propose(self) -> Idea:
        """What to try next, after the first generation."""

    @abc.abstractmethod
    def look_around(self, bench: Workbench) -> None:
        """Take in what others found. Called before every trial after the first generation."""

    # -- the loop

    def work(self, bench: Workbench) -> None:
        self.offers = bench.offers
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
            idea = Idea(configs.draw(self.rng, self.offers, self.start.family)) if early else self.propose()
            if configs.canonical(idea.recipe) not in self.seen:
                break
        self.seen.add(configs.canonical(idea.recipe))
        return idea

    def _try(self, bench: Workbench, idea: Idea) -> None:
        why = f"{self.assignment.arm} on {bench.direction}, trial {len(self.tried) + 1}"
        method = bench.write_method(f"t{len(self.tried) + 1:03d}", configs.source(idea.recipe, why))
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
        own = [seen for c in good if (seen := c.observation())]
        self.guess = Guess([c.signals for c in good], [*own, *self.heard.values()])
        for c in good:
            c.guess = round(self.guess(c.idea.recipe, c.signals), 4)

    # -- the few answers

    def _ask(self, bench: Workbench, left: Left) -> None:
        """Evaluate or submit when its time in the sequence of trials has come."""
        done, later = len(self.tried), self.assignment.trials - self.first
        asked = sum(c.answer is not None and c.submission is None for c in self.tried)
        affordable = left.evaluations > 0 and left.paid > left.submissions
        if affordable and done >= self.first + later * asked // self.assignment.evaluations:
            self._evaluate(bench, self._ordinary())
        handed = sum(c.submission is not None for c in self.tried) + 1
        if left.submissions > 1 and done >= self.first + later * handed // self.assignment.submissions:
            self._submit(bench, self._promising())
        for candidate in list(self.pending):
            self._hear(bench, candidate, 0.0)

    def _ordinary(self) -> Candidate | None:
        """Two thirds down the ranking of what was not asked about."""
        unasked = self._unasked()
        return unasked[2 * len(unasked) // 3] if unasked else None

    def _promising(self) -> Candidate | None:
        """The best guess that was not asked about, if it promises more than the best that was submitted."""
        best = next(iter(self._unasked()), None)
        bar = max((c.guess for c in self.good if c.submission), default=-math.inf)
        return best if best and best.guess > bar else None

    def _unasked(self) -> list[Candidate]:
        """Best guess first. A verdict on what was evaluated already could tell nothing new."""
        return [c for c in self._ranked() if c.answer is None and c.submission is None]

    def _ranked(self) -> list[Candidate]:
        return sorted(self.good, key=lambda c: -c.guess)

    def _evaluate(self, bench: Workbench, candidate: Candidate | None) -> None:
        if candidate is None:
            return
        p = candidate.trial.p.mean(axis=0, dtype=np.float64)
        answer = bench.evaluate(dict(zip(candidate.trial.ids, p.round(6).tolist(), strict=True)))
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
        note = f"{candidate.method.name}: {configs.in_words(candidate.idea.recipe)}"
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
        """The last submission. An answer that is left is used, also where nothing promises more than before."""
        left, handed = bench.budget(), any(c.submission for c in self.good)
        rest = self._unasked() or [c for c in self._ranked() if c.submission is None]
        if left.submissions > 0 and rest and (left.paid > 0 or not handed):
            self._submit(bench, rest[0])
        for candidate in list(self.pending):
            self._hear(bench, candidate, max(0.0, bench.budget().seconds - 2))

    # -- telling others

    def _tell_beginning(self, bench: Workbench) -> None:
        ranked = self._ranked()
        if not ranked:
            return
        words = f"Of {len(ranked)} starts, {configs.in_words(ranked[0].idea.recipe)} has the best process signals. No label was asked."
        self._share(bench, "hypothesis", f"Starting from {bench.direction}", words, ranked[0])

    def _tell_result(self, bench: Workbench, candidate: Candidate) -> None:
        assert candidate.answer
        pgr, lane = candidate.answer.pgr, "verified" if candidate.submission else "interactive"
        said = "no improvement" if pgr is None else f"PGR {pgr:.2f}"
        title = f"{said} ({lane}): {configs.in_words(candidate.idea.recipe)}"
        self._share(
            bench,
            "result" if pgr is not None else "observation",
            title,
            f"Guessed {candidate.guess:.2f} after the answer.",
            candidate,
        )

    def _share(self, bench: Workbench, kind: FindingKind, title: str, words: str, candidate: Candidate) -> None:
        bench.share_finding(
            kind,
            title,
            with_data(words, candidate.data()),
            runs=[candidate.submission] if candidate.submission else [],
            snapshots=[candidate.snapshot] if candidate.snapshot else [],
            findings=candidate.idea.findings,
        )
