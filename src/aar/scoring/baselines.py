"""The human-tuned baselines of a problem: one table, one line per method, baseline uncertainty included."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aar.errors import MethodError
from aar.methods import library
from aar.scoring.features import Progress
from aar.scoring.problem import Problem
from aar.scoring.trial import run_trial
from aar.settings import LabFolder


@dataclass(frozen=True)
class Line:
    """One method's line: its result, or why it was not run on this student."""

    method: str
    result: dict[str, Any] | None
    not_run: str = ""


def human_methods(*, slow: bool = False) -> list[str]:
    """The human baselines; the ones that prompt the student cost minutes and are asked for with `slow`."""
    cards = {name: library.card(name) for name in library.methods()}
    return [n for n, c in cards.items() if c.human and (slow or c.cost == "seconds")]


def saved(lab: LabFolder, problem: Problem) -> Path:
    return lab.sealed / "problems" / f"{problem.name.replace('/', '_')}.baselines.json"


def run_baselines(
    lab: LabFolder,
    problem: Problem,
    methods: Sequence[str],
    seeds: Sequence[int],
    progress: Callable[[str], None] = lambda doing: None,
    prompts: Progress | None = None,
) -> list[Line]:
    """Every method over all seeds, best first; what was not run comes last. Kept for the board and the report."""
    lines = []
    for method in methods:
        progress(method)
        try:
            lines.append(Line(method, run_trial(lab, problem, method, seeds, progress=prompts).as_json()))
        except MethodError as error:
            lines.append(Line(method, None, error.message))
    lines.sort(key=lambda line: -line.result["acc"]["mean"] if line.result else 1.0)
    saved(lab, problem).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    saved(lab, problem).write_text(json.dumps([line.__dict__ for line in lines], indent=1))
    return lines


def best_human(lab: LabFolder, problem: Problem) -> dict[str, Any] | None:
    """{method, pgr, lo, hi} of the best scored human baseline of the last table, or None."""
    best = _best(lab, problem)
    return best and {
        "method": best["method"],
        "pgr": best["pgr"]["mean"],
        "lo": best["pgr"]["lo"],
        "hi": best["pgr"]["hi"],
    }


def human_accuracy(lab: LabFolder, problem: Problem) -> float | None:
    """The mean accuracy of that baseline."""
    best = _best(lab, problem)
    return float(best["acc"]["mean"]) if best else None


def _best(lab: LabFolder, problem: Problem) -> dict[str, Any] | None:
    if not saved(lab, problem).exists():
        return None
    results = [line["result"] for line in json.loads(saved(lab, problem).read_text())]
    return max((r for r in results if r and r["pgr"]), key=lambda r: r["pgr"]["mean"], default=None)
