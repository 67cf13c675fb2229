"""How many evaluations a second does the lab answer, and how long does one wait? (`aar bench load`)"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import psutil

from aar.bench import crowd
from aar.bench.base import Figure, Say, benches
from aar.bench.crowd import RESEARCHERS, Tally
from aar.errors import LabError
from aar.lab import tokens
from aar.settings import LabFolder

ROWS, EARLIER, CLIENTS = 2567, 10_000, 50
NAIVE_CLIENTS = 5  # more would wait longer than the lab lets them
REQUESTS = {"grouped": 3000, "alone": 600, "naive": 60}


@benches.register("load")
def load(_: LabFolder, say: Say) -> list[Figure]:
    """Evaluations a second by 50 clients at once, 2,567 rows, 10,000 earlier vectors; committed before each reply.

    On a lab of its own over loopback TCP, clients on the same cores. LabError unless every acknowledged call, and no
    other, is in the log afterwards, and the audit chain is whole.
    """
    found: dict[str, Tally] = {}
    cpu: dict[str, float] = {}
    with _fresh_lab() as folder:
        lab = crowd.make(folder, ROWS, EARLIER)
        keys = [tokens.create(lab.store, f"r{i}") for i in range(RESEARCHERS)]
        lab.close()
        vectors, done = crowd.Vectors(folder), EARLIER
        for mode, requests in REQUESTS.items():
            with crowd.served(folder, mode) as (process, port):
                crowd.drive(port, keys, vectors, 1, 2, done)  # folds the log
                before = _cpu_seconds(process.pid)
                clients = CLIENTS if mode != "naive" else NAIVE_CLIENTS
                found[mode] = tally = crowd.drive(port, keys, vectors, clients, requests, done + 2)
                cpu[mode] = (_cpu_seconds(process.pid) - before) / requests
                done += 2 + requests
            say(
                f"{mode}: {tally.per_second:.1f}/s, p95 {tally.percentile(95):.2f} s, {len(tally.refused) + tally.lost} errors"
            )
        lab = crowd.opened(folder)
        entries, audit = crowd.answered(lab, EARLIER), lab.audit.verify()
        lab.close()
    acknowledged = sum(len(tally.seconds) for tally in found.values()) + 2 * len(found)
    if len(entries) != acknowledged or not audit.ok:
        raise LabError(
            f"{acknowledged} calls were acknowledged, {len(entries)} are in the log; audit: {audit.problems[:3]}"
        )
    grouped, alone, naive = found["grouped"], found["alone"], found["naive"]
    errors = len(grouped.refused) + grouped.lost
    plain = "labels and log read anew, one commit a call"
    return [
        Figure("evaluations", grouped.per_second, "1/s", plain, naive.per_second, 200),
        Figure(
            "evaluations, against one commit a call", grouped.per_second, "1/s", "one commit a call", alone.per_second
        ),
        Figure("wait, 95 % of calls under", grouped.percentile(95), "s", plain, naive.percentile(95), 0.4),
        Figure("server's CPU time a call", cpu["grouped"], "s", plain, cpu["naive"]),
        Figure("errors", float(errors), "calls", target=0),
    ]


@contextmanager
def _fresh_lab() -> Iterator[LabFolder]:
    with (
        tempfile.TemporaryDirectory(prefix="aar-load-") as name,
        patch.dict(os.environ, AAR_STATE=name, AAR_RUNTIME=name),
    ):
        yield LabFolder(Path(name) / "lab")


def _cpu_seconds(pid: int) -> float:
    used = psutil.Process(pid).cpu_times()
    return used.user + used.system
