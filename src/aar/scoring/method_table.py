"""What the cells of all methods say together: intervals that hold for all at once, ranks, and what carries over.

Every method may try `BUDGET` settings (its defaults and at most two others). The setting that counts on a problem is the
one that did best on the *other* testbeds, so that no row is used twice; with one testbed it is the defaults. Having looked
at many methods is paid for: `together`, `gain` and `kinds` are simultaneous intervals (bootstrap max-t over groups and seeds:
Romano & Wolf 2005, doi:10.1111/j.1468-0262.2005.00615.x, single step). Methods that were given trusted rows have their
figures, but no rank and no gain: they know what the others do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from aar.methods import library
from aar.methods.card import BUDGET, FAMILIES
from aar.scoring.method_cells import Cell, Outcome, cells, load
from aar.scoring.metrics import MIN_GAP, Interval, pgr, simultaneous_gains, simultaneous_intervals
from aar.scoring.problem import Problem
from aar.scoring.result import Scorer
from aar.settings import LabFolder
from aar.types import NotScored


def collect(
    lab: LabFolder, problems: Sequence[Problem], methods: Sequence[str], seeds: Sequence[int], budget: int = BUDGET
) -> dict[str, Any]:
    """The table as plain data: problems, methods with a line for each problem, and the transfer of the best."""
    found = {(c.problem, c.method, i): load(lab, c) for c, i in _numbered(cells(problems, methods, seeds, budget))}
    scorers = {p.name: Scorer(lab, p) for p in problems}
    points = {key: _point(scorers[key[0]], o.right) for key, o in found.items()}
    picks = {(p.name, m): pick(points, p.name, m) for p in problems for m in methods}
    chosen = {p.name: {m: found[p.name, m, picks[p.name, m]] for m in methods} for p in problems}
    lines = {p.name: _compared(scorers[p.name], chosen[p.name]) for p in problems}
    return {
        "seeds": list(seeds),
        "budget": budget,
        "problems": {p.name: _described(p, scorers[p.name], lines[p.name]) for p in problems},
        "methods": {m: _line(m, problems, picks, chosen, lines) for m in methods},
        "kinds": {p.name: kinds(scorers[p.name], chosen[p.name]) for p in problems},
        "transfer": transfer(points, problems, methods, scorers, found),
    }


def _numbered(todo: Iterable[Cell]) -> list[tuple[Cell, int]]:
    """Each cell with the number of its setting."""
    seen: dict[tuple[str, str], int] = {}
    out = []
    for cell in todo:
        key = (cell.problem, cell.method)
        out.append((cell, seen.setdefault(key, 0)))
        seen[key] += 1
    return out


def _point(scorer: Scorer, right: np.ndarray | None) -> float | None:
    """PGR without an interval, None where it was not run or not scored."""
    if right is None or scorer.ceiling is None:
        return None
    value = pgr(float(right.mean()), float(scorer.floor.mean()), float(scorer.ceiling.mean()))
    return None if isinstance(value, NotScored) else value


Points = dict[tuple[str, str, int], float | None]


def _elsewhere(points: Points, problem: str | None, method: str) -> dict[int, float]:
    """Setting -> mean PGR on the problems of other testbeds (all where `problem` is None)."""
    bed = Problem.parse(problem).testbed if problem else None
    values: dict[int, list[float]] = {}
    for (other, name, setting), value in points.items():
        if name == method and value is not None and Problem.parse(other).testbed != bed:
            values.setdefault(setting, []).append(value)
    return {s: float(np.mean(v)) for s, v in sorted(values.items())}


def pick(points: Points, problem: str, method: str) -> int:
    """The setting of a method that did best on the other testbeds; its defaults where there is no other."""
    means = _elsewhere(points, problem, method)
    return max(means, key=lambda s: (means[s], -s)) if means else 0


def best_human(lines: dict[str, dict[str, Any]]) -> str | None:
    """The human baseline with the highest PGR on a problem, of those without trusted rows."""
    scored = {m: line["pgr"]["mean"] for m, line in lines.items() if line["pgr"] and _is_human(m)}
    return max(scored, key=lambda m: scored[m]) if scored else None


def trusts(method: str) -> bool:
    """Is it given trusted rows?"""
    return "labelled" in library.card(method).inputs


def _is_human(method: str) -> bool:
    return library.card(method).human and not trusts(method)


def _ceiling(scorer: Scorer) -> np.ndarray | None:
    """None where nothing is scored: no ceiling is known, or the gap is too small."""
    known = scorer.ceiling is not None and float(scorer.ceiling.mean() - scorer.floor.mean()) >= MIN_GAP
    return scorer.ceiling if known else None


def kinds(scorer: Scorer, outcomes: dict[str, Outcome]) -> dict[str, dict[str, float] | None]:
    """family -> what its methods gain on average over the average method, in PGR; the intervals hold for all families at
    once. Empty where nothing is scored."""
    ran = {m: o.right for m, o in outcomes.items() if o.right is not None and not trusts(m)}
    if not ran or (ceiling := _ceiling(scorer)) is None:
        return {}
    of = {f: [r for m, r in ran.items() if library.card(m).family == f] for f in FAMILIES}
    means = {f: np.mean(members, axis=0) for f, members in of.items() if members}
    average = np.mean(list(ran.values()), axis=0)
    gains = simultaneous_gains(means, average, scorer.floor, ceiling, scorer.groups)
    return {f: _interval(gain) for f, gain in gains.items()}


def _compared(scorer: Scorer, outcomes: dict[str, Outcome]) -> dict[str, dict[str, Any]]:
    """method -> {acc, pgr, together, rank, gain}; `together` and `gain` (over the best human baseline) hold for all methods
    at once with 95 %."""
    ran = {m: o.right for m, o in outcomes.items() if o.right is not None}
    lines: dict[str, dict[str, Any]] = {
        m: {"acc": float(r.mean()), "pgr": None, "together": None, "gain": None, "rank": None} for m, r in ran.items()
    }
    ceiling = _ceiling(scorer)
    for m in ran if ceiling is not None else ():
        lines[m]["pgr"] = _interval(scorer.pgr(ran[m]))
    ran = {m: r for m, r in ran.items() if not trusts(m)}
    if ceiling is not None and ran:
        both = simultaneous_intervals(ran, scorer.floor, ceiling, scorer.groups)
        for m in ran:
            lines[m]["together"] = _interval(both[m])
        if (human := best_human(lines)) is not None:
            others = {m: r for m, r in ran.items() if m != human}
            gains = simultaneous_gains(others, ran[human], scorer.floor, ceiling, scorer.groups) if others else {}
            for m, gain in gains.items():
                lines[m]["gain"] = _interval(gain)
    order = sorted(ran, key=lambda m: -lines[m]["acc"])
    for m in ran:  # equal accuracies share the mean of their places
        ties = [i + 1 for i, other in enumerate(order) if lines[other]["acc"] == lines[m]["acc"]]
        lines[m]["rank"] = float(np.mean(ties))
    return lines


def _interval(value: Interval | NotScored) -> dict[str, float] | None:
    return None if isinstance(value, NotScored) else {k: round(getattr(value, k), 4) for k in ("mean", "lo", "hi")}


def _described(problem: Problem, scorer: Scorer, lines: dict[str, dict[str, Any]]) -> dict[str, Any]:
    ceiling = None if scorer.ceiling is None else round(float(scorer.ceiling.mean()), 4)
    return {"short": problem.short, "testbed": problem.testbed, "rows": len(scorer.ids), "floor": round(float(scorer.floor.mean()), 4),
            "ceiling": ceiling, "best_human": best_human(lines)}  # fmt: skip


def _line(method: str, problems: Sequence[Problem], picks: dict[tuple[str, str], int], chosen: dict[str, dict[str, Outcome]],
          lines: dict[str, dict[str, dict[str, Any]]]) -> dict[str, Any]:  # fmt: skip
    card, each, ranks = library.card(method), {}, []
    for p in problems:
        outcome = chosen[p.name][method]
        if outcome.right is None:
            each[p.name] = {"not_run": outcome.not_run, "failed": outcome.failed}
            continue
        line = lines[p.name][method]
        ranks += [line["rank"]] if line["rank"] is not None else []
        setting = card.configurations()[picks[p.name, method]]
        each[p.name] = line | {"acc": round(line["acc"], 4), "params": setting, "seconds": round(outcome.seconds, 2)}
    return {
        "family": card.family,
        "human": card.human,
        "trusted": trusts(method),
        "cost": card.cost,
        "mean_rank": round(float(np.mean(ranks)), 2) if ranks else None,
        "problems": each,
    }


def transfer(points: Points, problems: Sequence[Problem], methods: Sequence[str], scorers: dict[str, Scorer],
             found: dict[tuple[str, str, int], Outcome]) -> dict[str, Any]:  # fmt: skip
    """For each testbed: the method and setting that did best on all other testbeds, and its gain over the best human baseline
    here. One comparison a problem, so its interval is a plain one; the human baseline is the best in hindsight, with its own
    best setting, which favours it."""
    out: dict[str, Any] = {}
    for p in problems:
        means = {(m, s): v for m in methods if not trusts(m) for s, v in _elsewhere(points, p.name, m).items()}
        humans = {
            (m, s): v for (where, m, s), v in points.items() if where == p.name and v is not None and _is_human(m)
        }
        if not means or not humans:
            continue
        best, human = max(means, key=lambda k: means[k]), max(humans, key=lambda k: humans[k])
        scorer, mine, theirs = scorers[p.name], found[p.name, *best].right, found[p.name, *human].right
        if mine is None or theirs is None or scorer.ceiling is None:
            continue
        gain = simultaneous_gains({best[0]: mine}, theirs, scorer.floor, scorer.ceiling, scorer.groups)[best[0]]
        out[p.name] = {"method": best[0], "params": library.card(best[0]).configurations()[best[1]], "elsewhere": round(means[best], 4),
                       "here": points[p.name, *best], "human": human[0], "human_pgr": humans[human], "gain": _interval(gain)}  # fmt: skip
    return out
