"""The purse's settled lines as charges of the lab's ledger, so that `GET ledger` tells tokens and dollars of everybody.

A charge has the request's own ref, which the ledger counts once: told again after a kill it changes nothing.
"""

from __future__ import annotations

from pathlib import Path

from aar.lab.client import LabClient
from aar.researchers.llm.purse import Purse


class Charges:
    """Of one study. Remembers what it posted in this session."""

    def __init__(self, study: str, spending: Path) -> None:
        self.study, self.spending, self.purse = study, spending, Purse(spending)
        self._posted: set[str] = set()

    def post(self, owner: LabClient) -> None:
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
