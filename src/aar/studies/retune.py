"""Changing a study while it runs: budgets, the model, a researcher's direction. What was done stays done.

Changes are lines of `retuned.jsonl`; `spec.json` stays what was written first, and whoever loads the study reads both, in
order. A running study looks each tick. Budgets bind from the next act on (a smaller one than was used leaves nothing); another
model starts the researcher's process anew, which comes to where it was and goes on; a direction is told to it in words.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from aar.errors import InputError
from aar.researchers.llm.given import LLM_ARMS, ready
from aar.researchers.llm.prices import Prices
from aar.studies.spec import StudyFolder, StudySpec

TOLD_ARMS = (*LLM_ARMS, "human", "external")  # whoever can be told something new; a search is its direction


def retune(
    folder: StudyFolder, changes: Mapping[str, Any], direction: str = "", words: str = "", who: Sequence[str] = ()
) -> StudySpec:
    """`changes`: fields of StudySpec that are budgets, and of its Llm. `direction` (with `words`, where it is no packaged one)
    goes to the researchers `who`; none named: to all that can be told. InputError changes nothing."""
    spec, line = folder.load(), dict(changes)
    if direction:
        line |= {"direction": direction, "who": _listeners(spec, who), "words": {direction: words} if words else {}}
    if not line:
        raise InputError("nothing to change", code="no_change", hint="e.g. aar study retune NAME --usd 5")
    new = spec.tuned(line)
    if new.llm != spec.llm:
        for arm in {m.arm for m in new.researchers} & set(LLM_ARMS):
            ready(arm, new.llm, Prices(folder.lab.prices))
    with folder.retuned.open("ab") as file:
        file.write(json.dumps(line).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return new


def _listeners(spec: StudySpec, who: Sequence[str]) -> list[str]:
    arms = {m.name: m.arm for m in spec.researchers}
    able = [name for name, arm in arms.items() if arm in TOLD_ARMS]
    if unable := [name for name in who if name not in able]:
        why = (
            f"the direction of arm {arms[unable[0]]} is its program"
            if unable[0] in arms
            else "there is no such researcher"
        )
        raise InputError(f"{unable[0]!r} cannot be told: {why}", hint=f"those who can: {', '.join(able) or 'none'}")
    if not able:
        raise InputError("no researcher of this study can be told a direction", hint="start another study")
    return list(who) or able
