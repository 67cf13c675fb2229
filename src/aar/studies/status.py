"""How a study stands, from its own files: works with no server and while it runs."""

from __future__ import annotations

import fcntl
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from aar.settings import LabFolder
from aar.studies.events import StudyEvent, read_events
from aar.studies.spec import Member, StudyFolder


@dataclass(frozen=True)
class Overview:
    """`time`: kind of job -> {jobs, seconds at work, seconds waited}, finished jobs only."""

    name: str
    problem: str
    state: str
    researchers: list[dict[str, Any]]
    time: dict[str, dict[str, float]]


def overview(lab: LabFolder, name: str) -> Overview:
    folder = StudyFolder(lab, name)
    spec, events = folder.load(), list(read_events(folder.events))
    told = [e for e in events if e.kind == "study" and "state" in e.data]
    state = told[-1].data["state"] if told else "new"
    if state in ("open", "settling"):
        state = "running" if _is_running(folder) else "interrupted"
    return Overview(name, spec.problem, state, [_member(m, events) for m in spec.researchers], _time(events))


def _is_running(folder: StudyFolder) -> bool:
    try:
        with (folder.root / "runner.lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def _member(member: Member, events: list[StudyEvent]) -> dict[str, Any]:
    mine = [e for e in events if e.researcher == member.name]
    told = [e for e in mine if e.kind == "state"]
    state = str(told[-1].data.get("state") or told[-1].text) if told else "new"
    done = {f"{kind}s": sum(e.kind == kind for e in mine) for kind in ("trial", "evaluation", "submission")}
    best = max((e.data["pgr"] for e in mine if isinstance(e.data.get("pgr"), int | float)), default=None)
    return {"name": member.name, "arm": member.arm, "direction": member.direction, "state": state, **done, "best": best}


def _time(events: list[StudyEvent]) -> dict[str, dict[str, float]]:
    sums: dict[str, dict[str, float]] = defaultdict(lambda: {"jobs": 0, "seconds": 0.0, "waited": 0.0})
    for event in events:
        if event.kind == "job":
            of = sums[f"{event.data['job_kind']}, {event.data['state']}"]
            of["jobs"] += 1
            of["seconds"] = round(of["seconds"] + event.data["seconds"], 1)
            of["waited"] = round(of["waited"] + event.data.get("waited", 0.0), 1)
    return dict(sums)
