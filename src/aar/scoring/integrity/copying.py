"""Copying without credit: code much like an earlier snapshot of somebody else that is not named as a parent.

What everybody has (the built-in methods) does not count. Sharing is wanted here: the answer is a link, not a ban.
"""

from __future__ import annotations

from aar.scoring.integrity.case import Case, Finding, check
from aar.scoring.integrity.shape import alike, contained, own, shape_of

COPIED = 0.65  # of an earlier snapshot's own runs, or of this one's
IDENTICAL = 0.9  # of all runs, where too little is their own


@check("copying")
def find(case: Case) -> list[Finding]:
    others = [o for o in case.others if o.researcher != case.researcher and not o.credited]
    if not others:
        return []
    known = [shape_of(files) for files in case.known]
    whole = shape_of(case.files)
    mine = own(whole, known)
    built_in = any(alike(whole, shape) >= IDENTICAL for shape in known)
    best: tuple[float, Finding] | None = None
    for other in others:
        theirs = own(shape_of(other.files), known)
        share = max(contained(mine, theirs), contained(theirs, mine))
        same = 0.0 if built_in else alike(whole, shape_of(other.files))
        share = max(share, same if same >= IDENTICAL else 0.0)
        if share >= COPIED and (best is None or share > best[0]):
            says = f"{100 * share:.0f} % of the code has the shape of {other.researcher}'s earlier snapshot {other.snapshot[:12]}, which is no parent of it"
            look = f"compare the two: names, numbers and layout aside they match; add the link or ask (snapshot {other.snapshot[:12]})"
            best = (
                share,
                Finding(
                    "copying",
                    "flag",
                    "copied without credit",
                    says,
                    look,
                    {"snapshot": other.snapshot, "share": round(share, 3)},
                ),
            )
    return [best[1]] if best else []
