"""An evolutionary arm: parents by tournament on the guess, children by crossing and mutation, newcomers now and then; of a
brood the child with the best guess is tried.

It reads what others found. Where the board shows a rerun of another's that beats everything the lab told this arm, it
downloads that snapshot, reads the recipe in it as text, and breeds from it, naming the snapshot and the finding it
builds on. A claim that the board does not carry is a noisy observation for the guess and nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from aar.errors import InputError, MethodError
from aar.researchers import configs
from aar.researchers.base import Assignment, BoardRow, Finding, Workbench, clean, researchers
from aar.researchers.configs import Config
from aar.researchers.explorer import AbstractExplorer, Candidate, Idea
from aar.researchers.findings import data_of
from aar.researchers.guess import VERDICT, Observation, observed
from aar.sandboxes import results

NEWCOMER, CROSS, ADOPT = 0.25, 0.35, 0.35  # chances of a child to be drawn anew, crossed, bred from another's
TOURNAMENT = 3
BROOD = 8
MAX_SOURCE = 100_000


@researchers.register("search")
class Search(AbstractExplorer):
    def __init__(self, assignment: Assignment) -> None:
        super().__init__(assignment)
        self.adopted: list[Idea] = []  # recipes of others, each with the snapshot and the finding it comes from
        self.best_of_others = 0.0

    def propose(self) -> Idea:
        """The most promising of a brood: by one of the guesses that are possible still, later by the best one."""
        early = len(self.tried) < self.assignment.trials // 2
        guess = self.guess.sampled(self.rng) if early else self.guess
        return max((self._child() for _ in range(BROOD)), key=lambda idea: guess(idea.recipe))

    def _child(self) -> Idea:
        if not self.good or self.rng.random() < NEWCOMER:
            return Idea(configs.draw(self.rng, self.offers))
        if self.adopted and self.rng.random() < ADOPT:
            return self._bred(self.adopted[-1])
        parent = self._parent().idea
        if self.rng.random() >= CROSS:
            return self._bred(parent)
        other = self._parent().idea
        recipe = self._mutated(configs.cross(parent.recipe, other.recipe, self.rng))
        both = (parent, other)
        return Idea(recipe, _union(i.snapshots for i in both), _union(i.findings for i in both))

    def look_around(self, bench: Workbench) -> None:
        """Answers of others, and the best rerun of theirs that beats what this arm was told."""
        posts = [f for f in bench.findings() if f.researcher != bench.name and f.standing != "disqualified"]
        rows = {r.submission: r for r in bench.leaderboard() if r.researcher != bench.name and r.pgr is not None}
        for finding in posts:
            if seen := self._observation(finding, rows):
                self.heard[finding.id] = seen
        best = max(rows.values(), key=lambda r: (r.pgr or 0, -r.submission), default=None)
        if best and (best.pgr or 0) > max(self.told, self.best_of_others):
            self.best_of_others = best.pgr or 0
            cited = {run: f.id for f in posts for run in f.runs}
            self._adopt(bench, best, cited.get(best.submission))
        self._judge()

    def _observation(self, finding: Finding, rows: Mapping[int, BoardRow]) -> Observation | None:
        """What the board says of the run that a finding names, else what the finding says."""
        claim = observed(data_of(finding.body))
        row = rows.get(finding.runs[0]) if len(finding.runs) == 1 else None
        return replace(claim, pgr=row.pgr, noise=VERDICT) if claim and row else claim

    def _adopt(self, bench: Workbench, row: BoardRow, finding: int | None) -> None:
        """Another's code is text to read a recipe from; where there is none it stays unused."""
        try:
            text = results.read_bytes(bench.download_snapshot(row.snapshot), "method.py", MAX_SOURCE).decode(
                errors="replace"
            )
            recipe = configs.read(text)
        except (MethodError, InputError) as error:
            bench.log(f"cannot build on {clean(row.researcher, 40)}: {error.message}")
            return
        self.adopted.append(Idea(recipe, (row.snapshot,), (finding,) if finding else ()))
        bench.log(f"builds on submission {row.submission} of {clean(row.researcher, 40)}")

    def _parent(self) -> Candidate:
        """The best guess among a few at random."""
        picked = self.rng.integers(len(self.good), size=TOURNAMENT)
        return max((self.good[i] for i in picked), key=lambda c: c.guess)

    def _bred(self, parent: Idea) -> Idea:
        return replace(parent, recipe=self._mutated(parent.recipe))

    def _mutated(self, recipe: Config) -> Config:
        return configs.mutate(recipe, self.rng, self.offers)


def _union(parts: Iterable[tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(item for part in parts for item in part))
