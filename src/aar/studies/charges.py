"""What a study costs as charges of the lab's ledger, so that `GET ledger` tells tokens, dollars and hours of everybody.

A charge of a model has the request's own ref, which the ledger counts once: told again after a kill it changes nothing.
Hours are charged as what is missing in the ledger, under a ref that names what was there: the same holds for them.
"""

from __future__ import annotations

import time

from aar.lab.client import LabClient
from aar.researchers.llm.purse import Purse
from aar.settings import LabFolder
from aar.studies.cost import costs

HOURS_EVERY_S = 60.0


class Charges:
    """Of one study. Remembers what it posted in this session."""

    def __init__(self, study: str, lab: LabFolder) -> None:
        self.study, self.lab, self.spending, self.purse = study, lab, lab.spending, Purse(lab.spending)
        self._posted: set[str] = set()
        self._next = time.monotonic() + HOURS_EVERY_S

    def post(self, owner: LabClient, last: bool = False) -> None:
        """Hours once a minute, and `last`."""
        self._models(owner)
        if last or time.monotonic() >= self._next:
            self._hours(owner)
            self._next = time.monotonic() + HOURS_EVERY_S

    def _hours(self, owner: LabClient) -> None:
        known = {row["researcher"]: row for row in owner.call("GET", "ledger", query={"study": self.study})}
        for line in costs(self.lab, self.study):
            for kind, column in (("wall", "hours"), ("cpu", "cpu_hours"), ("gpu", "gpu_hours")):
                there = known.get(line.researcher, {}).get(column, 0.0)
                hours = getattr(line, f"{kind}_hours") - there
                if line.researcher and hours > 1e-6:
                    ref = f"{self.study}/{line.researcher}/{kind}/{there:.6f}"
                    body = {
                        "kind": kind,
                        "study": self.study,
                        "researcher": line.researcher,
                        "hours": hours,
                        "ref": ref,
                    }
                    owner.call("POST", "ledger", body)

    def _models(self, owner: LabClient) -> None:
        if not self.spending.exists():
            return
        for entry in self.purse.settled(self.study):
            line = entry.settled or {}
            if entry.ref in self._posted or "release" in line:
                continue
            owner.call("POST", "ledger", {
                "kind": "llm", "study": entry.study, "researcher": entry.researcher or None, "usd": entry.usd, "ref": entry.ref,
                "tokens_in": line.get("tokens_in", 0), "tokens_out": line.get("tokens_out", 0),
                "note": "worst case: nobody knows what became of it" if line.get("lost") else str(line.get("model", "")),
            })  # fmt: skip
            self._posted.add(entry.ref)
