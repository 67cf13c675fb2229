"""Solutions that generators wrote, as files, and the verdicts on them.

    <folder>/ANY.jsonl        {"question", "solution", "generator"}, "correct" too where somebody graded them already
    <folder>/verdicts.jsonl   {"key", "correct"}: what was graded here, so that a grading that was killed goes on

A question is the problem's text as the data set has it (or as `aar testbed generate` wrote it).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from aar.errors import InputError, NotFound
from aar.testbeds.full.beds import Candidate, Problem, Run, Solving, plain
from aar.testbeds.full.sources import blank, text
from aar.testbeds.jsonl import read_jsonl, read_own
from aar.types import Claim

VERDICTS = "verdicts.jsonl"
LINE = '{"question": "...", "solution": "...", "generator": "..."}'
EASY, HARD = 2 / 3, 1 / 3  # share of a problem's solutions that are right
Progress = Callable[[int, int], None]  # solutions graded, solutions in all


@dataclass(frozen=True)
class Solution:
    where: str
    question: str
    text: str
    generator: str
    correct: bool | None

    @property
    def key(self) -> str:
        return hashlib.sha256(f"{plain(self.question)}\0{self.text}".encode()).hexdigest()[:32]


def read(folder: Path) -> Iterator[Solution]:
    """All solutions of all files; empty ones give nothing."""
    paths = [p for p in sorted(folder.glob("*.jsonl*")) if p.name != VERDICTS] if folder.is_dir() else []
    if not paths:
        hint = "write some with `aar testbed generate`, or put ready ones there, as lines of " + LINE
        raise NotFound(f"{folder} holds no generated solutions (*.jsonl)", code="no_generations", hint=hint)
    for path in paths:
        for record in read_jsonl(path):
            if blank(record, "question", "solution", "generator"):
                continue
            correct = record.fields.get("correct")
            if correct not in (None, True, False):
                hint = "write true or false, or leave it out to have it graded"
                raise InputError(f"{record.where}: 'correct' is {correct!r}", code="unknown_label", hint=hint)
            question, solution = text(record, "question"), text(record, "solution")
            yield Solution(record.where, question, solution, text(record, "generator"), correct)


def candidates(
    solving: Solving, problems: Iterable[Problem], folder: Path, run: Run, progress: Progress | None = None
) -> Iterator[Candidate]:
    """A claim per solution. A solution to no known problem is refused: it would be graded against nothing."""
    solutions = list(read(folder))
    asked = {plain(s.question) for s in solutions}
    known = {plain(p.question): p for p in problems if plain(p.question) in asked}
    if stray := next((s for s in solutions if plain(s.question) not in known), None):
        hint = "give the problem's text as it is in the data set, of a problem that this testbed uses"
        raise InputError(f"{stray.where}: no problem has this question", code="unknown_question", hint=hint)
    verdicts = _graded(solving, solutions, known, folder / VERDICTS, run, progress)
    shares = _shares(solutions, verdicts)
    for solution in solutions:
        problem = known[plain(solution.question)]
        difficulty = problem.difficulty or _difficulty(shares[plain(solution.question)])
        claim = Claim(problem.question, solution.text)
        label = int(verdicts[solution.key])
        yield Candidate(solution.where, problem.pool, claim, label, solution.generator, difficulty)


def _graded(
    solving: Solving,
    solutions: list[Solution],
    known: Mapping[str, Problem],
    path: Path,
    run: Run,
    progress: Progress | None,
) -> dict[str, bool]:
    """key -> whether it is right. What is graded is kept at once; programs are run side by side."""
    verdicts = {s.key: s.correct for s in solutions if s.correct is not None}
    verdicts |= {text(r, "key"): bool(r.fields["correct"]) for r in read_own(path)}
    todo = {s.key: s for s in solutions if s.key not in verdicts}
    with ThreadPoolExecutor(os.cpu_count()) as pool, path.open("a") as file:
        jobs = {pool.submit(solving.right, known[plain(s.question)], s.text, run): key for key, s in todo.items()}
        try:
            for done, job in enumerate(as_completed(jobs), start=1):
                verdicts[jobs[job]] = job.result()
                file.write(json.dumps({"key": jobs[job], "correct": job.result()}) + "\n")
                file.flush()
                if progress:
                    progress(done, len(jobs))
        except BaseException:  # Ctrl-C too: what has not begun never begins
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return verdicts


def _shares(solutions: Iterable[Solution], verdicts: Mapping[str, bool]) -> dict[str, float]:
    found: dict[str, list[bool]] = {}
    for solution in solutions:
        found.setdefault(plain(solution.question), []).append(verdicts[solution.key])
    return {question: sum(right) / len(right) for question, right in found.items()}


def _difficulty(share: float) -> str:
    return "easy" if share > EASY else "hard" if share < HARD else "medium"
