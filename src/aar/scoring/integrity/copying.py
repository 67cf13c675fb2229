"""Copying without credit: code much like an earlier snapshot of somebody else that is not named as a parent.

What everybody has (the built-in methods) does not count. Sharing is wanted here: the answer is a link, not a ban.
"""

from __future__ import annotations

from aar.scoring.integrity.case import Case, Finding, check
from aar.scoring.integrity.shape import contained, own, shape_of

COPIED = 0.8  # of an earlier snapshot's own runs, or of this one's


@check("copying")
def find(case: Case) -> list[Finding]:
    known = [shape_of(files) for files in case.known]
    mine = own(shape_of(case.files), known)
    best: tuple[float, Finding] | None = None
    for other in case.others:
        if other.researcher == case.researcher or other.credited:
            continue
        theirs = own(shape_of(other.files), known)
        share = max(contained(mine, theirs), contained(theirs, mine))
        if share >= COPIED and (best is None or share > best[0]):
            says = f"{100 * share:.0f} % of the code has the shape of {other.researcher}'s earlier snapshot {other.snapshot[:12]}, which is no parent of it"
            look = f"compare the two: names, numbers and layout aside they match; add the link or ask (snapshot {other.snapshot[:12]})"
            best = share, Finding("copying", "flag", "copied without credit", says, look, {"snapshot": other.snapshot, "share": round(share, 3)})
    return [best[1]] if best else []
