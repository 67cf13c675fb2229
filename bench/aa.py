"""An A/A study: one method under many names, so that the true gain is zero. How often is an improvement reported?

    python bench/aa.py --lab lab [--problem code] [--method vanilla] [--redraws 200] [--out docs/bench]

The method is trained once per teacher draw. In a redraw nine researchers each hand in several of these trainings as if they
were methods of their own. False improvement: any answer "improved" after the first one that was told, and, in the final lane,
any pair of names whose intervals lie apart. Exact answers are counted beside, as a lab without a gate would give them.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np

from aar.methods import library
from aar.models.heads import one_thread
from aar.scoring.gate import PUBLISHED, Exam, Gate, GateRules
from aar.scoring.gatelog import MemoryGateStore
from aar.scoring.metrics import Interval, correctness, simultaneous_intervals
from aar.scoring.prepare import student_of
from aar.scoring.problem import Card, Problem
from aar.scoring.rerun import restricted
from aar.scoring.result import Scorer
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.task.folder import read_weak
from aar.task.runner import call_method
from aar.types import Predictions, Rows, Task

RESEARCHERS, ASKS = 9, 2  # what the gate grants each on 400 rows
RULES = replace(PUBLISHED, daily=1000)  # so that many asks fit a redraw


def trainings(lab: LabFolder, problem: Problem, method: str) -> list[Predictions]:
    """The method on every teacher draw; predictions for interactive and private rows."""
    card, sealed, module = Card.load(lab, problem), Sealed(lab), library.get(method)
    student = student_of(lab, problem, card.kind, sealed=True)
    train, test, private = (sealed.rows(problem.testbed, split) for split in ("unlabeled", "test", "private"))
    rows = Rows(test.kind, test.ids + private.ids, test.texts + private.texts)
    found = []
    with one_thread():
        for seed in range(card.seeds):
            weak = read_weak(lab.problem(problem.name) / "weak" / f"{seed}.json", train.ids)
            task = Task(problem.name, card.kind, seed, train.with_weak(weak), rows, student)
            found.append(Predictions(rows.ids, call_method(module, task).aligned(rows.ids)))
    return found


def interactive(
    exam: Exam, vectors: list[dict[str, float]], rules: GateRules, asks: int, redraws: int
) -> dict[str, float]:
    """Rates over all answers after each researcher's first told one."""
    rng, gated, exact, later = np.random.default_rng(0), 0, 0, 0
    accuracy = [float(correctness(np.array([v[i] for i in exam.ids]), exam.gold).mean()) for v in vectors]
    for _ in range(redraws):
        gate = Gate(MemoryGateStore(), rules)
        for r in range(RESEARCHERS):
            picked = rng.choice(len(vectors), size=asks, replace=False)
            told, best = False, -1.0
            for at, i in enumerate(picked):
                said = gate.answer(exam, f"r{r}", vectors[i]).status == "improved"
                if at:
                    later, gated, exact = later + 1, gated + (said and told), exact + (accuracy[i] > best)
                told, best = told or said, max(best, accuracy[i])
    return {"answers": later, "gate": round(gated / later, 4), "exact": round(exact / later, 4)}


def verified(
    exam: Exam, vectors: list[dict[str, float]], rules: GateRules, redraws: int, seeds: int = 5
) -> dict[str, float]:
    """The same for two reruns each: a verdict is the mean over `seeds` trainings."""
    rng, false = np.random.default_rng(2), 0
    for _ in range(redraws):
        gate = Gate(MemoryGateStore(), rules)
        for r in range(RESEARCHERS):
            drawn = [[vectors[i] for i in rng.choice(len(vectors), size=seeds, replace=False)] for _ in range(2)]
            first, second = (gate.answer_verified(exam, f"r{r}", runs).status == "improved" for runs in drawn)
            false += first and second
    return {"answers": redraws * RESEARCHERS, "gate": round(false / (redraws * RESEARCHERS), 4)}


def final_lane(scorer: Scorer, right: np.ndarray, redraws: int, names: int = 10, seeds: int = 5) -> dict[str, float]:
    """How often any of `names` names, each a mean of `seeds` trainings, lies apart from another. right [trainings, n]."""
    assert scorer.ceiling is not None
    rng, apart = np.random.default_rng(1), 0
    for _ in range(redraws):
        drawn = {str(k): right[rng.choice(len(right), size=seeds, replace=False)] for k in range(names)}
        found = simultaneous_intervals(drawn, scorer.floor, scorer.ceiling, scorer.groups, draws=400)
        made = [f for f in found.values() if isinstance(f, Interval)]
        apart += any(a.lo > b.hi or b.lo > a.hi for a, b in combinations(made, 2))
    return {"redraws": redraws, "any pair apart": round(apart / redraws, 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for flag, default in (("--lab", "lab"), ("--problem", "code"), ("--method", "vanilla"), ("--out", "docs/bench")):
        parser.add_argument(flag, default=default)
    parser.add_argument("--redraws", type=int, default=200)
    given = parser.parse_args()
    lab, problem = LabFolder.find(given.lab), Problem.parse(given.problem)
    answers = trainings(lab, problem, given.method)
    test, private, card = Scorer(lab, problem), Scorer(lab, problem, "private"), Card.load(lab, problem)
    exam = Exam(problem.name, "aa", test.ids, test.truth, card.floor["mean"], card.ceiling and card.ceiling["mean"])
    vectors = [dict(zip(test.ids, restricted(a, test.ids).p.tolist(), strict=True)) for a in answers]
    right = np.stack([private.right(restricted(a, private.ids)) for a in answers])
    report = {
        "problem": problem.name, "method": given.method, "trainings": len(answers), "researchers": RESEARCHERS,
        "two asks each": interactive(exam, vectors, RULES, ASKS, given.redraws),
        "ten asks each": interactive(exam, vectors, RULES, 10, given.redraws),
        "two verdicts each": verified(exam, vectors, RULES, given.redraws),
        "final lane": final_lane(private, right, min(given.redraws, 100)),
    }  # fmt: skip
    out = Path(given.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "aa.json").write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
