"""Non-determinism: the same code, seeds and rows twice, and the answers differ."""

from __future__ import annotations

import numpy as np

from aar.scoring.integrity.case import Case, Finding, check

TOLERANCE = 1e-6  # on a CPU with one thread; a GPU has its own


@check("repeat", "repeat")
def find(case: Case) -> list[Finding]:
    again = case.altered.get("repeat")
    if again is None:
        return []
    look = "search the code for clocks, hash order, os.urandom, unseeded generators; `aar verify` repeats the verdict"
    if again.p is None:
        return [
            Finding("repeat", "flag", "not repeatable", f"ran once and failed the second time ({again.error})", look)
        ]
    apart = np.abs(again.p - case.p)
    if apart.max() <= TOLERANCE:
        return []
    turned = float(((again.p > 0.5) != (case.p > 0.5)).mean())
    says = f"two reruns on the same seeds differ by up to {apart.max():.2g}; {100 * turned:.1f} % of the answers turned round"
    return [
        Finding("repeat", "flag", "not deterministic", says, look, {"largest": float(apart.max()), "turned": turned})
    ]
