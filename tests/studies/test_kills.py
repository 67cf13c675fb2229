"""kill -9 of anything at any time, then `aar study resume`: nothing acknowledged is lost, nothing paid is repeated."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from aar.lab.audit import AuditLog
from aar.settings import LabFolder
from aar.studies.spec import StudyFolder


def survive(
    lab: LabFolder, folder: StudyFolder, campaign: ModuleType, kills_s: float, most_s: float, pause_s: float
) -> Any:
    """Run the campaign and check the store. Returns (kills by kind, acts by kind)."""
    run = campaign.Campaign(lab, folder.name, pause_s, random.Random(5))
    run.run(kills_s, most_s)
    done = campaign.check_exactly_once(lab, folder.name)
    report = AuditLog(lab.database.parent / "audit.jsonl", lab.sealed / "audit.key").verify()
    assert report.ok, report.problems
    end = time.monotonic() + 20
    while left := campaign.alive(lab):
        assert time.monotonic() < end, left
        time.sleep(0.2)
    return run.killed, done


@pytest.mark.timeout(280)
def test_twenty_seconds_of_kills(
    quick_lab: LabFolder, make_study: Callable[..., StudyFolder], campaign: ModuleType
) -> None:
    """A short campaign: some process dies every two seconds or so, and the store is whole."""
    folder = make_study(search=1, random=1, trials=4, wall_s=600)
    killed, done = survive(quick_lab, folder, campaign, kills_s=20, most_s=240, pause_s=1.5)
    assert len(killed) >= 3, killed
    assert done["submit"] == 2, done
    assert done["finding"] >= 2, done


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_three_minutes_of_kills(
    quick_lab: LabFolder, make_study: Callable[..., StudyFolder], campaign: ModuleType
) -> None:
    """The long campaign, with every kind of process killed."""
    folder = make_study(search=2, random=1, trials=30, wall_s=3000, evaluations=3, submissions=2)
    killed, done = survive(quick_lab, folder, campaign, kills_s=180, most_s=1000, pause_s=4)
    assert {"runner", "server", "worker", "hands"} <= set(killed), killed
    assert done["submit"] >= 3, done
