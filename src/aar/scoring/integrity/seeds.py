"""Seed-picking: the figure claimed is better than the server's seeds can explain.

Claim > mean + 2 sd sqrt(1 + 1/k) over k server seeds; 2-3 % of honest claims are.
"""

from __future__ import annotations

import math

import numpy as np

from aar.scoring.integrity.case import Case, Finding, check

SMALLEST_SD = 0.01  # PGR: a claim is rounded, and comes from a grid


def limit(pgr: tuple[float, ...], sds: float = 2.0) -> float:
    """The PGR that an honest claim passes rarely, given the reruns' figures (at least two)."""
    sd = max(float(np.std(pgr, ddof=1)), SMALLEST_SD)
    return float(np.mean(pgr)) + sds * sd * math.sqrt(1 + 1 / len(pgr))


@check("seed-picking")
def find(case: Case) -> list[Finding]:
    if case.claimed is None or len(case.pgr) < 2 or case.claimed <= (most := limit(case.pgr)):
        return []
    mean, k = float(np.mean(case.pgr)), len(case.pgr)
    says = f"claims PGR {case.claimed:.3f}; {k} reruns on the server's seeds give {mean:.3f}, and {most:.3f} is the most they explain"
    look = "ask how many seeds or variants were tried before this figure was claimed"
    evidence = {"claimed": case.claimed, "reruns": [round(x, 4) for x in case.pgr], "limit": round(most, 4)}
    return [Finding("seed-picking", "flag", "claim not reproduced", says, look, evidence)]
