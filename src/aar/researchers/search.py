"""An evolutionary arm: parents by tournament on the guess, children by crossing and mutation, newcomers now and then.

It reads what others found. Where the board shows a rerun of another's that beats everything the lab told this arm, it
downloads that snapshot, reads the recipe in it as text, and breeds from it, naming the snapshot and the finding it
builds on. A claim that the board does not carry is a noisy observation for the guess and nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from aar.errors import InputError, MethodError
from aar.researchers import space
from aar.researchers.base import Assignment, BoardRow, Workbench, clean, researchers
from aar.researchers.explorer import AbstractExplorer, Candidate, Idea
from aar.sandboxes import results

NEWCOMER, CROSS, ADOPT = 0.15, 0.35, 0.35  # chances of a child to be drawn anew, crossed, bred from another's
TOURNAMENT = 3
MAX_SOURCE = 100_000


@researchers.register("search")
class Search(AbstractExplorer):
    def __init__(self, assignment: Assignment) -> None:
        super().__init__(assignment)
        self.adopted: list[Idea] = []  # recipes of others, each with the snapshot and the finding it comes from
        self.best_of_others = 0.0

    def propose(self) -> Idea:
        if not self.good or self.rng.random() < NEWCOMER:
            return Idea(space.draw(self.rng))
        if self.adopted and self.rng.random() < ADOPT:
            return self._bred(self.adopted[-1])
        parent = self._parent()
        if self.rng.random() >= CROSS:
            return self._bred(parent.idea)
        other = self._parent().idea
        recipe = space.cross(parent.idea.recipe, other.recipe, self.rng)
        both = (parent.idea, other)
        return Idea(
            space.mutate(recipe, self.rng), _union(i.snapshots for i in both), _union(i.findings for i in both)
        )

    def look_around(self, bench: Workbench) -> None:
        """Answers of others, and the best rerun of theirs that beats what this arm was told."""
        cited = {run: f.id for f in bench.findings() for run in f.runs}
        for _ in self.listen(bench):
            pass
        rows = [r for r in bench.leaderboard() if r.researcher != bench.name and r.pgr is not None]
        best = max(rows, key=lambda r: (r.pgr or 0, -r.submission), default=None)
        if best and (best.pgr or 0) > max(self.told, self.best_of_others):
            self.best_of_others = best.pgr or 0
            self._adopt(bench, best, cited.get(best.submission))
        self._judge()

    def _adopt(self, bench: Workbench, row: BoardRow, finding: int | None) -> None:
        """Another's code is text to read a recipe from; where there is none it stays unused."""
        try:
            text = results.read_bytes(bench.download_snapshot(row.snapshot), "method.py", MAX_SOURCE).decode(errors="replace")
            recipe = space.read(text)
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
        return replace(parent, recipe=space.mutate(parent.recipe, self.rng))


def _union(parts: Iterable[tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(item for part in parts for item in part))
