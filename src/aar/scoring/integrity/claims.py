"""A claimed figure far from the rerun's: made up, or not of this code. A wrong claim never ranks; this says it is wrong."""

from __future__ import annotations

import numpy as np

from aar.scoring.integrity.case import Case, Finding, Level, check
from aar.scoring.integrity.seeds import limit

FAR_SDS = 6.0
FAR = 0.2  # PGR


@check("claimed figure")
def find(case: Case) -> list[Finding]:
    if case.claimed is None or len(case.pgr) < 2:
        return []
    mean = float(np.mean(case.pgr))
    allowed = max(FAR, limit(case.pgr, FAR_SDS) - mean)
    if abs(case.claimed - mean) <= allowed and case.claimed <= max(1.5, mean + FAR):
        return []
    says = f"claims PGR {case.claimed:.3f}, the rerun gives {mean:.3f}: {abs(case.claimed - mean):.2f} apart, {allowed:.2f} is allowed"
    look = "compare the claim with the forum post and the runs it cites; was another version submitted?"
    level: Level = "flag" if case.claimed > mean else "note"
    evidence = {"claimed": case.claimed, "rerun": round(mean, 4)}
    return [Finding("claimed figure", level, "claim unsupported", says, look, evidence)]
