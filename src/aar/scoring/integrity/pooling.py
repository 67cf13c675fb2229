"""Near-equal code: the best of many almost identical submissions is a lottery ticket; their mean is the result.

Pools the verdicts of submissions on the same problem whose code has the same shape (names and constants aside), whoever
sent them. One whose figures are clearly another is a different setting and stays out.
"""

from __future__ import annotations

import math

import numpy as np

from aar.scoring.integrity.case import Case, Code, Finding, check
from aar.scoring.integrity.shape import alike, shape_of

SAME = 0.95
APART = 3.0  # standard errors between two means that seeds do not explain
SMALLEST_SD = 0.01


@check("near-equal code")
def find(case: Case) -> list[Finding]:
    if len(case.pgr) < 2:
        return []
    mine = shape_of(case.files)
    twins = [c for c in case.others if c.pgr and (c.files == case.files or alike(mine, shape_of(c.files)) >= SAME)]
    twins = [c for c in twins if _same_figures(case.pgr, c.pgr)]
    if not twins:
        return []
    own, pooled = float(np.mean(case.pgr)), float(np.mean([*case.pgr, *(x for c in twins for x in c.pgr)]))
    says = f"near-equal to {_names(twins)}; PGR {own:.3f} alone, {pooled:.3f} pooled over {len(twins) + 1} submissions"
    look = "compare the snapshots: if only names, constants or seeds differ, the pooled figure is the method's"
    evidence = {"submissions": [c.submission for c in twins], "pooled_pgr": round(pooled, 4), "pgr": round(own, 4)}
    return [Finding("near-equal code", "note", "pool the means", says, look, evidence)]


def _same_figures(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    sds = [max(float(np.std(x, ddof=1)) if len(x) > 1 else 0.0, SMALLEST_SD) for x in (a, b)]
    se = math.hypot(sds[0] / math.sqrt(len(a)), sds[1] / math.sqrt(len(b)))
    return abs(float(np.mean(a)) - float(np.mean(b))) <= APART * se


def _names(twins: list[Code]) -> str:
    return ", ".join(f"submission {c.submission} of {c.researcher}" for c in twins[:5])
