"""What a study has cost so far, by researcher, from its own files: works with no server, while it runs and after a crash.

Dollars and tokens come from the purse (think-hard calls and other sub-calls included, a request under way at its worst
case), wall-hours from the researchers' journals, CPU- and GPU-hours from what their sandboxes kept (`sandboxes.meter`).
Hours of reruns are the lab's, and stand beside.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from aar.researchers.grants import USAGE
from aar.researchers.llm.purse import Entry, Purse
from aar.sandboxes.meter import Used, used
from aar.settings import LabFolder
from aar.studies.events import read_events
from aar.studies.spec import StudyFolder


@dataclass(frozen=True)
class Cost:
    """`usd` holds `usd_open`, the worst case of requests without an answer yet. `tokens_in` holds `cached`. `researcher` None:
    the whole study."""

    researcher: str | None
    usd: float = 0.0
    usd_open: float = 0.0
    requests: int = 0
    tokens_in: int = 0
    cached: int = 0
    tokens_out: int = 0
    wall_hours: float = 0.0
    cpu_hours: float = 0.0
    gpu_hours: float = 0.0
    rerun_hours: float = 0.0

    @property
    def usd_per_hour(self) -> float | None:
        """Dollars per hour of a researcher's working time."""
        return round(self.usd / self.wall_hours, 4) if self.wall_hours else None


def costs(lab: LabFolder, name: str) -> list[Cost]:
    """A line for each researcher, one for what the study itself asked for where it did, then the sum."""
    folder, entries = StudyFolder(lab, name), defaultdict[str, list[Entry]](list)
    members = [member.name for member in folder.load().researchers]
    for entry in Purse(lab.spending).of(name) if lab.spending.exists() else ():
        entries[entry.researcher].append(entry)
    reruns: dict[str, float] = defaultdict(float)
    for event in read_events(folder.events):
        if event.kind == "job" and event.data["job_kind"] == "rerun":
            reruns[event.data["owner"]] += event.data["seconds"] / 3600
    own = [who for who in entries if who not in members]
    lines = [_line(folder.home(who) if who else None, who, entries[who], reruns[who]) for who in (*members, *own)]
    sums = {key: sum(getattr(line, key) for line in lines) for key in Cost.__dataclass_fields__ if key != "researcher"}
    return [*lines, Cost(None, **{key: round(value, 6) for key, value in sums.items()})]


def _line(home: Path | None, who: str, entries: list[Entry], rerun_hours: float) -> Cost:
    told = [entry.settled or {} for entry in entries]
    hours = used(home / USAGE) if home else Used()
    return Cost(
        who,
        usd=round(sum(e.usd for e in entries), 6),
        usd_open=round(sum(e.usd for e in entries if e.settled is None), 6),
        requests=sum("release" not in line for line in told),
        tokens_in=sum(line.get("tokens_in", 0) for line in told),
        cached=sum(line.get("cached", 0) for line in told),
        tokens_out=sum(line.get("tokens_out", 0) for line in told),
        wall_hours=round(worked_s(home / "journal.jsonl") / 3600 if home else 0.0, 6),
        cpu_hours=round(hours.cpu_s / 3600, 6),
        gpu_hours=round(hours.gpu_s / 3600, 6),
        rerun_hours=round(rerun_hours, 6),
    )


def worked_s(journal: Path) -> float:
    """Working time of all sessions, as of the last act that is on disk."""
    if not journal.exists():
        return 0.0
    whole = journal.read_bytes().rpartition(b"\n")[0]
    last = whole.rpartition(b"\n")[2]
    return float(json.loads(last)["t"]) if last else 0.0
